// node:sqlite: constants; a database is an object's.
(function () {
const { core, primordials } = __bootstrap;
const { Error, SafeArrayIterator, TypeError } = primordials;

class DatabaseSync {
  constructor() {
    throw new TypeError("Illegal constructor");
  }
}

class StatementSync {
  constructor() {
    throw new TypeError("Illegal constructor");
  }
}

const constants = {
  SQLITE_CHANGESET_OMIT: 0,
  SQLITE_CHANGESET_REPLACE: 1,
  SQLITE_CHANGESET_ABORT: 2,
  SQLITE_CHANGESET_DATA: 1,
  SQLITE_CHANGESET_NOTFOUND: 2,
  SQLITE_CHANGESET_CONFLICT: 3,
  SQLITE_CHANGESET_CONSTRAINT: 4,
  SQLITE_CHANGESET_FOREIGN_KEY: 5,
  SQLITE_OK: 0,
  SQLITE_DENY: 1,
  SQLITE_IGNORE: 2,
  SQLITE_COPY: 0,
};
// What an authorizer may be asked, numbered from 1 on.
let action = 1;
for (
  const name of new SafeArrayIterator([
    "CREATE_INDEX", "CREATE_TABLE", "CREATE_TEMP_INDEX", "CREATE_TEMP_TABLE",
    "CREATE_TEMP_TRIGGER", "CREATE_TEMP_VIEW", "CREATE_TRIGGER", "CREATE_VIEW",
    "DELETE", "DROP_INDEX", "DROP_TABLE", "DROP_TEMP_INDEX", "DROP_TEMP_TABLE",
    "DROP_TEMP_TRIGGER", "DROP_TEMP_VIEW", "DROP_TRIGGER", "DROP_VIEW", "INSERT",
    "PRAGMA", "READ", "SELECT", "TRANSACTION", "UPDATE", "ATTACH", "DETACH",
    "ALTER_TABLE", "REINDEX", "ANALYZE", "CREATE_VTABLE", "DROP_VTABLE",
    "FUNCTION", "SAVEPOINT", "RECURSIVE",
  ])
) {
  constants[`SQLITE_${name}`] = action++;
}

return {
  exports: {
    DatabaseSync,
    StatementSync,
    backup() {
      throw new Error("backup is not implemented");
    },
    constants,
  },
};
})();
