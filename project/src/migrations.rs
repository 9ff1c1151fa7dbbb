//! The migrations of a D1 database: files of SQL in a folder, in an order.

use std::cmp::Ordering;
use std::io;
use std::path::Path;

use crate::D1Database;

/// How deep folders may nest; a glob says how deep migrations really are.
const DEEPEST: usize = 8;

impl D1Database {
    /// The names of its migrations in the order that they apply: paths relative to
    /// their folder. One that is not there has none.
    pub fn migrations(&self) -> io::Result<Vec<String>> {
        let mut found = Vec::new();
        let pattern = self.migrations_pattern.as_bytes();
        list(&self.migrations_dir, "", DEEPEST, &mut |path| {
            if fast_glob::glob_match(pattern, path.as_bytes()) {
                found.push(path.to_owned());
            }
        })?;
        found.sort_by(|a, b| order(a, b));
        Ok(found)
    }

    /// The name of the next migration that somebody describes so.
    pub fn next_migration(&self, description: &str) -> io::Result<String> {
        let numbers = self.migrations()?;
        let numbers = numbers.iter().filter_map(|name| number(name));
        let next = numbers.max().map_or(1, |last| last + 1);
        Ok(format!("{next:04}_{}.sql", description.replace(' ', "_")))
    }
}

fn list(dir: &Path, below: &str, deeper: usize, found: &mut impl FnMut(&str)) -> io::Result<()> {
    let entries = match std::fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        // One that is not UTF-8 matches no glob.
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let path = format!("{below}{name}");
        let kind = entry.file_type()?;
        if kind.is_dir() && deeper > 0 {
            list(&entry.path(), &format!("{path}/"), deeper - 1, found)?;
        } else if kind.is_file() {
            found(&path);
        }
    }
    Ok(())
}

/// By the numbers that their parts begin with, those without one last.
fn order(a: &str, b: &str) -> Ordering {
    for (a, b) in a.split('/').zip(b.split('/')) {
        let by_number = match (number(a), number(b)) {
            (Some(a), Some(b)) => a.cmp(&b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        let order = by_number.then_with(|| a.cmp(b));
        if order != Ordering::Equal {
            return order;
        }
    }
    a.len().cmp(&b.len())
}

/// The number that a name begins with.
fn number(name: &str) -> Option<u64> {
    let end = name.find(|c: char| !c.is_ascii_digit());
    name[..end.unwrap_or(name.len())].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_go_by_number() {
        let mut names = vec![
            "b.sql",
            "10_c.sql",
            "0009_b.sql",
            "a.sql",
            "1_b.sql",
            "1_a.sql",
        ];
        names.sort_by(|a, b| order(a, b));
        assert_eq!(
            names,
            [
                "1_a.sql",
                "1_b.sql",
                "0009_b.sql",
                "10_c.sql",
                "a.sql",
                "b.sql"
            ]
        );
    }

    #[test]
    fn the_next_one_is_numbered() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = D1Database {
            binding: "DB".into(),
            id: "db".into(),
            name: None,
            migrations_dir: folder.path().join("migrations"),
            migrations_pattern: "*.sql".into(),
            migrations_table: "d1_migrations".into(),
        };
        let next = |description: &str| database.next_migration(description).expect("a name");
        assert_eq!(next("make tables"), "0001_make_tables.sql");
        std::fs::create_dir_all(database.migrations_dir.join("5_deep")).expect("a folder");
        for name in ["0002_b.sql", "3_note.txt", "5_deep/migration.sql"] {
            std::fs::write(database.migrations_dir.join(name), "").expect("a file");
        }
        assert_eq!(database.migrations().expect("a list"), ["0002_b.sql"]);
        assert_eq!(next("more"), "0003_more.sql");
        let deep = D1Database {
            migrations_pattern: "*/migration.sql".into(),
            ..database
        };
        assert_eq!(deep.migrations().expect("a list"), ["5_deep/migration.sql"]);
    }
}
