// What SQL answers, as objects.
(function () {
const { ObjectDefineProperty } = __bootstrap.primordials;

/** A row by its columns' names, whatever those are; of two alike the last counts. */
function rowObject(columns, row) {
  const object = {};
  for (let i = 0; i < columns.length; i++) {
    ObjectDefineProperty(object, columns[i], {
      __proto__: null,
      value: row[i],
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
  return object;
}

return { rowObject };
})();
