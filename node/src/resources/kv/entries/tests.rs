//! The tables against a map: what is seen, and that nothing is left behind.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn database() -> Connection {
    let connection = Connection::open_in_memory().expect("a database");
    connection.execute_batch(SCHEMA.tables).expect("tables");
    connection
}

fn count(connection: &Connection, table: &str) -> i64 {
    let count = format!("SELECT count(*) FROM {table}");
    let counted = connection.query_row(&count, (), |row| row.get(0));
    counted.expect("a table")
}

fn head(key: &str, expires: Option<i64>) -> Head {
    Head {
        key: key.into(),
        expires,
        metadata: None,
    }
}

fn put_text(connection: &Connection, key: &str, value: &str, expires: Option<i64>, pins: &Pins) {
    let id = ValueId(next_value(connection).expect("a number"));
    let length = i64::try_from(value.len()).expect("a short text");
    let part = (0, value.as_bytes());
    put(connection, &head(key, expires), id, part, length, pins).expect("written");
}

fn names(connection: &Connection, prefix: &str, after: Option<&str>, limit: u32) -> Vec<String> {
    let (listed, _) = list(connection, prefix, after, limit, 0).expect("a list");
    listed.into_iter().map(|line| line.name).collect()
}

#[test]
fn lists_are_in_the_order_of_bytes_and_go_on_after_a_key() {
    let connection = database();
    for key in ["b", "a", "ab", "a\u{7f}", "a\u{e9}", "a\u{10ffff}", "\u{0}"] {
        put_text(&connection, key, "", None, &Pins::new());
    }
    let all = ["\u{0}", "a", "ab", "a\u{7f}", "a\u{e9}", "a\u{10ffff}", "b"];
    assert_eq!(names(&connection, "", None, 10), all);
    assert_eq!(names(&connection, "a", None, 10), all[1..6]);
    assert_eq!(names(&connection, "a", Some("ab"), 2), all[3..5]);
    assert_eq!(names(&connection, "a\u{10ffff}", None, 9), all[5..6]);
    assert_eq!(names(&connection, "a", Some("b"), 9), [""; 0]);
    assert_eq!(names(&connection, "b", Some("a"), 9), ["b"]);
    let (seven, more) = list(&connection, "", None, 7, 0).expect("a list");
    assert_eq!((seven.len(), more), (7, false));
    let (six, more) = list(&connection, "", None, 6, 0).expect("a list");
    assert_eq!((six.len(), more), (6, true));
}

#[test]
fn a_value_of_several_parts_is_seen_once_it_is_whole_and_garbage_until_then() {
    let connection = database();
    put_text(&connection, "key", "before", None, &Pins::new());
    let value = ValueId(next_value(&connection).expect("a number"));
    add_part(&connection, value, 0, b"one ").expect("written");
    add_part(&connection, value, 1, b"two ").expect("written");
    let seen = |connection: &Connection| {
        let entry = find(connection, "key", 0).expect("a look").expect("there");
        part(connection, entry.value, 0).expect("its first part")
    };
    assert_eq!(seen(&connection), b"before");
    // Its writer pins it.
    let pins = Pins::from([(value, 1)]);
    assert!(!sweep(&connection, 0, &pins).expect("swept"));
    let length = i64::try_from(PART).expect("small") * 3;
    let last = (2, &b"three"[..]);
    put(&connection, &head("key", None), value, last, length, &pins).expect("written");
    assert_eq!(seen(&connection), b"one ");
    assert_eq!(
        (count(&connection, "parts"), count(&connection, "garbage")),
        (3, 0)
    );

    // One that reads it keeps it.
    delete(&connection, "key", &pins).expect("deleted");
    assert!(!sweep(&connection, 0, &pins).expect("swept"));
    assert_eq!(part(&connection, value, 2).expect("it is there"), b"three");
    while sweep(&connection, 0, &Pins::new()).expect("swept") {}
    assert_eq!(
        (count(&connection, "parts"), count(&connection, "garbage")),
        (0, 0)
    );
}

#[test]
fn what_has_expired_is_gone_at_once_and_swept_later() {
    let connection = database();
    for number in 0..250 {
        let key = format!("{number}");
        put_text(&connection, &key, "value", Some(100), &Pins::new());
    }
    put_text(&connection, "stays", "value", Some(101), &Pins::new());
    let there = |now| find(&connection, "7", now).expect("a look").is_some();
    assert!(there(99) && !there(100));
    let listed = list(&connection, "", None, 1_000, 100).expect("a list");
    assert_eq!(listed.0.len(), 1);
    let mut sweeps = 0;
    while sweep(&connection, 100, &Pins::new()).expect("swept") {
        sweeps += 1;
    }
    assert_eq!(sweeps, 3);
    assert_eq!(
        (count(&connection, "entries"), count(&connection, "parts")),
        (1, 1)
    );
}

#[derive(Debug, Clone)]
enum Step {
    Put(u8, u8, Option<i64>),
    PutLarge(u8, u8),
    Abandon(u8),
    Delete(u8),
    Pass(i64),
    Sweep,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = 0..6_u8;
    let step = prop_oneof![
        (key.clone(), any::<u8>(), proptest::option::of(1..50_i64))
            .prop_map(|(key, value, ttl)| Step::Put(key, value, ttl)),
        (key.clone(), any::<u8>()).prop_map(|(key, value)| Step::PutLarge(key, value)),
        any::<u8>().prop_map(Step::Abandon),
        key.prop_map(Step::Delete),
        (1..20_i64).prop_map(Step::Pass),
        Just(Step::Sweep),
    ];
    proptest::collection::vec(step, 0..60)
}

proptest! {
    #[test]
    fn it_is_a_map_whose_entries_expire(steps in steps()) {
        let connection = database();
        let mut model: BTreeMap<String, (u8, i64)> = BTreeMap::new();
        let mut now = 0;
        let none = Pins::new();
        for step in steps {
            match step {
                Step::Put(key, value, ttl) => {
                    let key = format!("k{key}");
                    let expires = ttl.map(|ttl| now + ttl);
                    put_text(&connection, &key, &value.to_string(), expires, &none);
                    model.insert(key, (value, expires.unwrap_or(i64::MAX)));
                }
                Step::PutLarge(key, value) => {
                    let key = format!("k{key}");
                    let id = ValueId(next_value(&connection).unwrap());
                    add_part(&connection, id, 0, value.to_string().as_bytes()).unwrap();
                    let length = PART as i64 + 1;
                    put(&connection, &head(&key, None), id, (1, b"-"), length, &none).unwrap();
                    model.insert(key, (value, i64::MAX));
                }
                Step::Abandon(value) => {
                    let id = ValueId(next_value(&connection).unwrap());
                    add_part(&connection, id, 0, &[value]).unwrap();
                }
                Step::Delete(key) => {
                    let key = format!("k{key}");
                    delete(&connection, &key, &none).unwrap();
                    model.remove(&key);
                }
                Step::Pass(seconds) => now += seconds,
                Step::Sweep => {
                    sweep(&connection, now, &none).unwrap();
                }
            }
            let (listed, _) = list(&connection, "", None, 100, now).unwrap();
            let found: Vec<_> = listed
                .iter()
                .map(|line| {
                    let entry = find(&connection, &line.name, now).unwrap().unwrap();
                    let bytes = part(&connection, entry.value, 0).unwrap();
                    (line.name.clone(), String::from_utf8(bytes).unwrap())
                })
                .collect();
            let expected: Vec<_> = model
                .iter()
                .filter(|(_, (_, expires))| *expires > now)
                .map(|(key, (value, _))| (key.clone(), value.to_string()))
                .collect();
            prop_assert_eq!(found, expected);
        }
        now = i64::MAX - 1;
        while sweep(&connection, now, &none).unwrap() {}
        let lasting = model.values().filter(|(_, expires)| *expires == i64::MAX).count();
        prop_assert_eq!(count(&connection, "entries"), i64::try_from(lasting).unwrap());
        prop_assert_eq!(count(&connection, "garbage"), 0);
        let parts = "parts WHERE id / 64 NOT IN (SELECT value FROM entries)";
        prop_assert_eq!(count(&connection, parts), 0);
    }
}
