use outboard_project::{DurableObjectBinding, Transfer};

use super::*;

/// Objects that a test says there are.
struct Node {
    classes: Classes,
    with_objects: Vec<&'static str>,
}

impl Node {
    fn new() -> Self {
        Self {
            classes: Classes::default(),
            with_objects: Vec::new(),
        }
    }

    /// Serves workers, or says why not; then nothing has changed.
    fn serve(&mut self, workers: &[(&str, &Project)]) -> Result<(), String> {
        let scope = Scope::default();
        let wanted = workers.iter().map(|(name, project)| Wanted {
            name,
            project,
            exports: None,
            scope: &scope,
        });
        let is_empty = |key: &str| Ok(!self.with_objects.contains(&key));
        let mut after = self.classes.clone();
        after.apply(wanted.collect(), &is_empty).map_err(|faults| {
            let faults = faults
                .iter()
                .map(|(worker, error)| format!("{worker}: {error}"));
            faults.collect::<Vec<_>>().join("\n")
        })?;
        self.classes = after;
        Ok(())
    }

    fn key(&self, worker: &str, class: &str) -> Option<String> {
        let found = self.classes.find(worker, class);
        found.map(|namespace| namespace.key.clone())
    }
}

fn migration(tag: &str) -> Migration {
    Migration {
        tag: tag.into(),
        deleted_classes: Vec::new(),
        renamed_classes: Vec::new(),
        transferred_classes: Vec::new(),
        new_classes: Vec::new(),
    }
}

fn creates(tag: &str, classes: &[&str]) -> Migration {
    Migration {
        new_classes: classes.iter().map(|class| (*class).into()).collect(),
        ..migration(tag)
    }
}

fn renames(tag: &str, from: &str, to: &str) -> Migration {
    Migration {
        renamed_classes: vec![(from.into(), to.into())],
        ..migration(tag)
    }
}

fn deletes(tag: &str, class: &str) -> Migration {
    Migration {
        deleted_classes: vec![class.into()],
        ..migration(tag)
    }
}

fn takes(tag: &str, from: &str, from_script: &str, to: &str) -> Migration {
    Migration {
        transferred_classes: vec![Transfer {
            from: from.into(),
            from_script: from_script.into(),
            to: to.into(),
        }],
        ..migration(tag)
    }
}

fn project(migrations: &[Migration]) -> Project {
    Project {
        migrations: migrations.to_vec(),
        ..Project::default()
    }
}

#[test]
fn a_rename_keeps_the_objects_and_a_delete_does_not() {
    let mut node = Node::new();
    let first = creates("v1", &["A"]);
    node.serve(&[("w", &project(std::slice::from_ref(&first)))])
        .unwrap();
    assert_eq!(node.key("w", "A").as_deref(), Some("w:A"));

    let renamed = renames("v2", "A", "B");
    let second = project(&[first.clone(), renamed.clone()]);
    node.serve(&[("w", &second)]).unwrap();
    let after = node.classes.clone();
    assert_eq!(node.key("w", "A"), None);
    assert_eq!(node.key("w", "B").as_deref(), Some("w:A"));
    // The same again changes nothing.
    node.serve(&[("w", &second)]).unwrap();
    assert_eq!(node.classes, after);

    let steps = [first, renamed, creates("v3", &["A"]), deletes("v4", "B")];
    node.serve(&[("w", &project(&steps))]).unwrap();
    assert_eq!(node.key("w", "A").as_deref(), Some("w:A#2"));
    assert_eq!(node.key("w", "B"), None);
    assert_eq!(node.classes.doomed(), ["w:A"]);

    let steps = [
        &steps[..],
        &[deletes("v5", "A"), creates("v6", &["A", "B"])],
    ]
    .concat();
    node.serve(&[("w", &project(&steps))]).unwrap();
    assert_eq!(node.key("w", "A").as_deref(), Some("w:A#3"));
    assert_eq!(node.key("w", "B").as_deref(), Some("w:B"));
}

#[test]
fn a_transfer_takes_the_objects_along_and_bindings_follow() {
    let mut node = Node::new();
    let old = project(&[creates("v1", &["Hall"])]);
    let new = project(&[takes("v1", "Hall", "old", "Room")]);
    // All at once, whatever the order: the class is there before it is taken.
    node.serve(&[("new", &new), ("old", &old)]).unwrap();
    assert_eq!(node.key("new", "Room").as_deref(), Some("old:Hall"));
    // The old worker's own binding leads to it.
    assert_eq!(node.key("old", "Hall").as_deref(), Some("old:Hall"));
    let after = node.classes.clone();
    node.serve(&[("old", &old), ("new", &new)]).unwrap();
    assert_eq!(node.classes, after);

    // Until the old one gives up the name, and with it nothing that is the new one's.
    let old = project(&[
        creates("v1", &["Hall"]),
        deletes("v2", "Hall"),
        creates("v3", &["Hall"]),
    ]);
    node.serve(&[("old", &old)]).unwrap();
    assert_eq!(node.key("old", "Hall").as_deref(), Some("old:Hall#2"));
    assert_eq!(node.key("new", "Room").as_deref(), Some("old:Hall"));
}

#[test]
fn classes_without_a_migration_are_made_once() {
    let mut node = Node::new();
    let mut bound = project(&[]);
    bound.durable_objects = vec![DurableObjectBinding {
        name: "A".into(),
        class_name: "A".into(),
        script_name: None,
    }];
    node.serve(&[("w", &bound)]).unwrap();
    bound.migrations = vec![creates("v1", &["A"])];
    node.serve(&[("w", &bound)]).unwrap();
    assert_eq!(node.key("w", "A").as_deref(), Some("w:A"));
    // A binding came before the migration that renames; it has no objects yet.
    bound.durable_objects[0].class_name = "B".into();
    node.serve(&[("w", &bound)]).unwrap();
    assert_eq!(node.key("w", "B").as_deref(), Some("w:B"));
    bound.migrations.push(renames("v2", "A", "B"));
    node.with_objects = vec!["w:B"];
    assert_eq!(
        node.serve(&[("w", &bound)]).unwrap_err(),
        "w: migrations[1].renamed_classes[0].to: there is a class \"B\" already, and it has objects"
    );
    node.with_objects = vec!["w:A"];
    node.serve(&[("w", &bound)]).unwrap();
    assert_eq!(node.key("w", "B").as_deref(), Some("w:A"));
}

/// What is refused once `before` was applied.
#[track_caller]
fn check(before: &[Migration], then: &[Migration], expected: &str) {
    let mut node = Node::new();
    node.serve(&[("w", &project(before))]).unwrap();
    let was = node.classes.clone();
    let refused = node.serve(&[("w", &project(then))]).unwrap_err();
    assert_eq!(refused, expected);
    assert_eq!(node.classes, was, "nothing changes");
}

#[test]
fn migrations_that_do_not_fit_what_is_there() {
    let (one, two, three) = (
        creates("v1", &["A"]),
        creates("v2", &["B"]),
        creates("v3", &["C"]),
    );
    check(
        &[one.clone(), two.clone()],
        std::slice::from_ref(&one),
        "w: migrations: those up to \"v2\" were applied here, and it is not among them; \
         what was applied stays in the list",
    );
    check(
        &[one.clone(), two.clone()],
        &[one.clone(), three.clone(), two.clone()],
        "w: migrations[1].tag: \"v3\" was not applied, and stands before \"v2\", which was; \
         new migrations come last",
    );
    check(
        &[one.clone(), two.clone()],
        &[two.clone(), one.clone()],
        "w: migrations[1].tag: \"v1\" was applied before \"v2\", and stands behind it; \
         what was applied keeps its order",
    );
    check(
        std::slice::from_ref(&one),
        &[one.clone(), two.clone(), deletes("v3", "X")],
        "w: migrations[2].deleted_classes[0]: worker \"w\" has no class \"X\" here",
    );
    check(
        std::slice::from_ref(&one),
        &[
            one.clone(),
            renames("v2", "A", "B"),
            takes("v3", "A", "x", "C"),
        ],
        "w: migrations[2].transferred_classes[0].from: worker \"x\" has no class \"A\" here",
    );
}

#[test]
fn what_a_migration_makes_the_script_has() {
    let scope = Scope::default();
    let exports = ["default".to_string(), "B".to_string()];
    let serve = |migrations: &[Migration]| {
        let wanted = Wanted {
            name: "w",
            project: &project(migrations),
            exports: Some(&exports),
            scope: &scope,
        };
        let applied = Classes::default().apply(vec![wanted], &|_| Ok(true));
        applied.map_err(|faults| faults[0].1.to_string())
    };
    assert_eq!(
        serve(&[creates("1", &["A"]), renames("2", "A", "B")]),
        Ok(())
    );
    assert_eq!(
        serve(&[creates("1", &["B"]), renames("2", "B", "C")]),
        Err("migrations[1]: the script exports no class \"C\"".into())
    );
}
