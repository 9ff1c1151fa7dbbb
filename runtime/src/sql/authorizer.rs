//! What a script's SQL may do, as Workers document it: one database, no files, no
//! transactions by statement, and nothing of the runtime's own tables.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

/// Names that are the runtime's own.
const RESERVED: &str = "_cf_";

/// What the authorizer and whoever runs statements tell each other.
#[derive(Debug, Default)]
pub struct Authority {
    /// The statement is the host's own.
    trusted: AtomicBool,
    /// A script's statement would begin or end a transaction.
    transaction: AtomicBool,
}

impl Authority {
    /// Runs statements of the host's own, which pass.
    pub fn trusted<T>(&self, work: impl FnOnce() -> T) -> T {
        self.trusted.store(true, Relaxed);
        let done = work();
        self.trusted.store(false, Relaxed);
        done
    }

    /// Runs a script's statements; what they tried is known then.
    pub fn script<T>(&self, work: impl FnOnce() -> T) -> T {
        self.transaction.store(false, Relaxed);
        work()
    }

    /// Whether one of the last script's would have begun or ended a transaction, for
    /// which it was refused.
    pub fn refused_transaction(&self) -> bool {
        self.transaction.load(Relaxed)
    }

    /// What SQLite asks before each statement.
    pub fn hook(self: &Arc<Self>) -> impl FnMut(AuthContext<'_>) -> Authorization + Send + 'static {
        let this = self.clone();
        move |context| {
            if this.trusted.load(Relaxed) || this.allows(&context) {
                Authorization::Allow
            } else {
                Authorization::Deny
            }
        }
    }

    fn allows(&self, context: &AuthContext<'_>) -> bool {
        use AuthAction::*;
        // Where others have the database SQLite names the column, or by our patch the
        // table's new name.
        if let AlterTable {
            database_name,
            table_name,
        } = &context.action
        {
            let is_new_free = context.database_name.is_none_or(is_free);
            return *database_name == "main" && is_free(table_name) && is_new_free;
        }
        match context.database_name {
            Some("main") | None => {}
            // Sorting and views in memory are SQLite's own; tables are not offered there.
            Some("temp") => {
                return match &context.action {
                    Read { table_name, .. } | Update { table_name, .. } => is_free(table_name),
                    _ => false,
                };
            }
            Some(_) => return false,
        }
        match &context.action {
            Select | Recursive => true,
            CreateTable { table_name }
            | DropTable { table_name }
            | Insert { table_name }
            | Delete { table_name }
            | Read { table_name, .. }
            | Update { table_name, .. } => is_free(table_name),
            // Tells of sizes alone, and `PRAGMA optimize` does it to all tables.
            Analyze { .. } => true,
            CreateView { view_name } | DropView { view_name } => is_free(view_name),
            Reindex { index_name } => is_free(index_name),
            CreateIndex {
                index_name,
                table_name,
            }
            | DropIndex {
                index_name,
                table_name,
            } => is_free(index_name) && is_free(table_name),
            CreateTrigger {
                trigger_name,
                table_name,
            }
            | DropTrigger {
                trigger_name,
                table_name,
            } => is_free(trigger_name) && is_free(table_name),
            CreateVtable {
                table_name,
                module_name,
            }
            | DropVtable {
                table_name,
                module_name,
            } => is_free(table_name) && is_module(module_name),
            Transaction { .. } | Savepoint { .. } => {
                self.transaction.store(true, Relaxed);
                false
            }
            Pragma {
                pragma_name,
                pragma_value,
            } => allows_pragma(pragma_name, *pragma_value),
            Function { function_name } => {
                let name = function_name.to_ascii_lowercase();
                // These tell how SQLite was built. Scripts cannot call those of ALTER.
                let is_alters = name.starts_with("sqlite_rename_") || name == "sqlite_drop_column";
                // The first loads code; the others name pointers and files.
                let is_outside = matches!(
                    name.as_str(),
                    "load_extension" | "fts3_tokenizer" | "readfile" | "writefile" | "edit"
                );
                !is_outside && (is_alters || !name.starts_with("sqlite_"))
            }
            _ => false,
        }
    }
}

fn is_free(name: &str) -> bool {
    !name
        .get(..RESERVED.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(RESERVED))
}

fn is_module(name: &str) -> bool {
    ["fts5", "fts5vocab", "rtree", "rtree_i32"]
        .iter()
        .any(|module| module.eq_ignore_ascii_case(name))
}

fn allows_pragma(name: &str, value: Option<&str>) -> bool {
    match name.to_ascii_lowercase().as_str() {
        "data_version" | "page_size" => value.is_none(),
        "case_sensitive_like"
        | "foreign_keys"
        | "defer_foreign_keys"
        | "ignore_check_constraints"
        | "legacy_alter_table"
        | "recursive_triggers"
        | "reverse_unordered_selects" => value.is_none_or(is_boolean),
        "foreign_key_list" | "index_info" | "index_list" | "index_xinfo" | "table_info"
        | "table_xinfo" => value.is_some_and(is_free),
        "foreign_key_check" | "table_list" => value.is_none_or(is_free),
        "quick_check" => value.is_none_or(|value| value.parse::<u32>().is_ok() || is_free(value)),
        "optimize" => value.is_none_or(is_mask),
        _ => false,
    }
}

fn is_mask(value: &str) -> bool {
    let hexadecimal = value.strip_prefix("0x");
    hexadecimal.map_or_else(
        || value.parse::<i32>().is_ok(),
        |digits| i32::from_str_radix(digits, 16).is_ok(),
    )
}

fn is_boolean(value: &str) -> bool {
    let value = value.trim_matches(['\'', '"']).to_ascii_lowercase();
    matches!(
        value.as_str(),
        "true" | "false" | "yes" | "no" | "on" | "off" | "1" | "0"
    )
}
