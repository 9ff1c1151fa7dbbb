//! What databases may cost, with limits that a test can reach.

use std::pin::Pin;

use futures::FutureExt;
use outboard_storage::Retention;

use super::*;

const ENDLESS: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

const QUICK: Limits = Limits {
    time: Duration::from_secs(60),
    results: 1 << 20,
    queue: 2,
    open: 2,
    idle: Duration::from_secs(60),
};

fn databases(limits: Limits) -> (Arc<Databases>, tempfile::TempDir) {
    let dir = tempfile::tempdir().expect("a folder");
    let objects = Arc::new(NodeObjects::default());
    objects
        .keep_in(dir.path(), Retention::Nothing)
        .expect("a store");
    (Arc::new(Databases::with(objects, limits)), dir)
}

fn asking(
    databases: &Arc<Databases>,
    id: &str,
    sql: &str,
) -> impl Future<Output = Result<String, D1Error>> {
    let query = super::super::Query {
        sql: sql.into(),
        params: Vec::new(),
    };
    let (databases, id) = (databases.clone(), id.to_owned());
    async move {
        let room = databases.room(Some(1)).expect("room");
        let asked = databases.ask(&id, Work::Queries(vec![query]), Format::Columns, room);
        let json = String::from_utf8(asked.await?.json).expect("text");
        let (rows, _) = json.split_once("},\"meta\"").expect("rows and meta");
        Ok(rows.split_once("\"rows\":").expect("rows").1.to_owned())
    }
}

fn ask(databases: &Arc<Databases>, id: &str, sql: &str) -> Result<String, D1Error> {
    futures::executor::block_on(asking(databases, id, sql))
}

/// Begins what is asked, and answers what has come of it.
fn begin<F: Future>(asked: F) -> (Pin<Box<F>>, Option<F::Output>) {
    let mut asked = Box::pin(asked);
    let begun = asked.as_mut().now_or_never();
    (asked, begun)
}

fn opened(databases: &Databases) -> Vec<String> {
    let threads = databases.threads.lock();
    let mut names: Vec<_> = threads.open.keys().cloned().collect();
    names.sort();
    names
}

#[test]
fn a_query_over_its_time_is_interrupted() {
    // Long enough for the other query, wherever the test runs.
    let time = Duration::from_secs(2);
    let (databases, _dir) = databases(Limits { time, ..QUICK });
    let both = format!("CREATE TABLE t (a); {ENDLESS}");
    assert_eq!(ask(&databases, "a", &both), Err(D1Error::TooSlow));
    let tables = ask(&databases, "a", "SELECT count(*) FROM sqlite_schema");
    assert_eq!(tables.as_deref(), Ok("[[0]]"));
}

#[test]
fn what_queries_take_of_memory_is_bounded_and_others_are_served() {
    let (databases, _dir) = databases(QUICK);
    let hog = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400)
         SELECT i || hex(zeroblob(500000)) FROM n ORDER BY 1";
    let both = format!("CREATE TABLE t (a); {hog}");
    assert_eq!(ask(&databases, "a", &both), Err(D1Error::TooLarge));
    let tables = ask(&databases, "a", "SELECT count(*) FROM sqlite_schema");
    assert_eq!(tables.as_deref(), Ok("[[0]]"));
}

#[test]
fn results_are_bounded() {
    let (databases, _dir) = databases(QUICK);
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
    assert_eq!(ask(&databases, "a", many), Err(D1Error::TooLarge));
    assert_eq!(ask(&databases, "a", "SELECT 1").as_deref(), Ok("[[1]]"));
}

#[test]
fn a_full_queue_says_so_and_what_is_dropped_makes_room() {
    let (databases, _dir) = databases(QUICK);
    let (hog, begun) = begin(asking(&databases, "a", ENDLESS));
    assert_eq!(begun, None);
    let mut waiting = Vec::new();
    let refused = loop {
        let (asked, begun) = begin(asking(&databases, "a", "SELECT 1"));
        match begun {
            None => waiting.push(asked),
            Some(refused) => break refused,
        }
        assert!(waiting.len() <= QUICK.queue, "the queue ends");
    };
    assert_eq!(refused, Err(D1Error::QueueFull));
    // Others are not held up.
    assert_eq!(ask(&databases, "b", "SELECT 1").as_deref(), Ok("[[1]]"));
    drop(hog);
    for asked in waiting {
        let answered = futures::executor::block_on(asked);
        assert_eq!(answered.as_deref(), Ok("[[1]]"));
    }
}

#[test]
fn an_idle_database_is_closed_and_opens_again() {
    let idle = Duration::from_millis(1);
    let (databases, _dir) = databases(Limits { idle, ..QUICK });
    let mut count = 0;
    for _ in 0..50 {
        let sql =
            "CREATE TABLE IF NOT EXISTS t (a); INSERT INTO t VALUES (1); SELECT count(*) FROM t";
        count += 1;
        assert_eq!(ask(&databases, "a", sql), Ok(format!("[[{count}]]")));
        if count % 10 == 0 {
            let deadline = Instant::now() + Duration::from_secs(10);
            while !opened(&databases).is_empty() {
                assert!(Instant::now() < deadline, "it never closed");
                thread::yield_now();
            }
        }
    }
}

#[test]
fn the_longest_idle_database_makes_room_for_another() {
    let (databases, _dir) = databases(QUICK);
    for id in ["a", "b", "a", "c"] {
        let created = ask(&databases, id, "CREATE TABLE IF NOT EXISTS t (a)");
        assert!(created.is_ok(), "{created:?}");
    }
    assert_eq!(opened(&databases), ["a", "c"]);
    assert_eq!(ask(&databases, "b", "SELECT * FROM t").as_deref(), Ok("[]"));
    assert_eq!(opened(&databases), ["b", "c"]);
    let hogs = ["b", "c"].map(|id| begin(asking(&databases, id, ENDLESS)));
    assert_eq!(ask(&databases, "a", "SELECT 1"), Err(D1Error::QueueFull));
    drop(hogs);
}

#[test]
fn memory_for_requests_is_bounded() {
    let (databases, _dir) = databases(QUICK);
    let most = MOST_WAITING / MOST_REQUEST;
    let rooms: Vec<_> = (0..most).map_while(|_| databases.room(None)).collect();
    assert!(rooms.len() >= most - 1);
    assert!(databases.room(None).is_none());
    drop(rooms);
    assert!(databases.room(Some(5)).is_some());
}
