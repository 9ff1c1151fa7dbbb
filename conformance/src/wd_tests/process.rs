//! One file's run: the program, what it prints, and how long it may take.

use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

use super::build_file::Sidecar;
use super::results::{Outcome, TestResult};
use super::test_file::TestFile;

/// Bytes of output that are read; a test that prints more says nothing new.
const MAX_OUTPUT: usize = 8 << 20;
/// Bytes of output that a report keeps of a file that failed.
const KEPT_OUTPUT: usize = 4 << 10;
/// How long a test's server may take to say its ports.
const SIDECAR_START: Duration = Duration::from_secs(10);
/// Characters of an error that a report keeps.
const KEPT_ERROR: usize = 300;

/// Runs one file. Dropping the future kills what runs.
pub(crate) async fn run(program: &Path, test: &TestFile, timeout: Duration) -> Outcome {
    match start_and_wait(program, test, timeout).await {
        Ok(outcome) => outcome,
        Err(error) => Outcome::Failed {
            tests: Vec::new(),
            reason: format!("{error:#}"),
            output: String::new(),
        },
    }
}

async fn start_and_wait(
    program: &Path,
    test: &TestFile,
    timeout: Duration,
) -> anyhow::Result<Outcome> {
    let scratch = tempfile::tempdir()?;
    let mut arguments: Vec<OsString> = vec!["workerd".into(), "test".into()];
    arguments.push((&test.path).into());
    arguments.push("--experimental".into());
    if !test.rule.unpredictable {
        arguments.push("--predictable".into());
    }
    if let Some(date) = &test.date {
        arguments.push(format!("--compat-date={date}").into());
    }
    if test.wants_scratch {
        let mut option = OsString::from("--directory-path=TEST_TMPDIR=");
        option.push(scratch.path());
        arguments.push(option);
    }
    let folder = test.path.parent().unwrap_or(Path::new("."));
    let (_sidecar, environment) = match &test.rule.sidecar {
        Some(sidecar) => start_sidecar(folder, sidecar).await?,
        None => (None, Vec::new()),
    };
    let mut child = Command::new(program)
        .args(arguments)
        .envs(environment)
        .env("NO_COLOR", "1")
        .env("TEST_TMPDIR", scratch.path())
        .current_dir(scratch.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let mut out = Vec::new();
    let mut err = Vec::new();
    let work = async {
        tokio::join!(read(stdout, &mut out), read(stderr, &mut err));
        child.wait().await
    };
    let finished = tokio::time::timeout(timeout, work).await;
    let success = match finished {
        Ok(status) => Some(status?),
        Err(_elapsed) => None,
    };
    let text = String::from_utf8_lossy(&err).into_owned();
    let tests = tests(&text);
    let failed = match success {
        None => Some(format!("no end within {timeout:?}")),
        Some(status) if status.success() => None,
        Some(status) => Some(
            tests
                .iter()
                .find(|test| !test.passed)
                .map(|test| test.error.clone())
                .filter(|error| !error.is_empty())
                .unwrap_or_else(|| match status.code() {
                    Some(_) => complaint(&text),
                    None => format!("the program died: {status}"),
                }),
        ),
    };
    Ok(match failed {
        None => Outcome::Passed { tests },
        Some(reason) => Outcome::Failed {
            tests,
            reason,
            output: tail(&text),
        },
    })
}

/// Starts the server that a test talks to. It takes a port for each of its
/// sockets and says which on a line of its own, `NAME=PORT`; the variables tell
/// the test. One that never says it fails its test.
async fn start_sidecar(
    folder: &Path,
    sidecar: &Sidecar,
) -> anyhow::Result<(Option<Child>, Vec<(String, String)>)> {
    let host = ("SIDECAR_HOSTNAME".to_string(), "127.0.0.1".to_string());
    let mut child = Command::new("node")
        .arg(folder.join(&sidecar.script))
        .env(&host.0, &host.1)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let mut environment = vec![host];
    let Some(stdout) = child.stdout.take() else {
        return Ok((Some(child), environment));
    };
    let mut lines = BufReader::new(stdout).lines();
    let all_said = async {
        while environment.len() <= sidecar.ports.len() {
            let Some(line) = lines.next_line().await? else {
                break;
            };
            if let Some((name, port)) = line.split_once('=')
                && sidecar.ports.iter().any(|known| known == name)
            {
                environment.push((name.to_string(), port.trim().to_string()));
            }
        }
        anyhow::Ok(())
    };
    let _ = tokio::time::timeout(SIDECAR_START, all_said).await;
    // A full pipe would hold the server.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    Ok((Some(child), environment))
}

async fn read(stream: Option<impl AsyncRead + Unpin>, into: &mut Vec<u8>) {
    let Some(mut stream) = stream else { return };
    let mut chunk = [0; 8 << 10];
    // Read on past the limit: a full pipe would hold the program.
    while let Ok(length @ 1..) = stream.read(&mut chunk).await {
        let room = MAX_OUTPUT.saturating_sub(into.len());
        into.extend_from_slice(&chunk[..length.min(room)]);
    }
}

/// The tests that the program says it ran, in order. One that began and has no
/// result failed.
fn tests(text: &str) -> Vec<TestResult> {
    let mut tests: Vec<TestResult> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("[ TEST ] ") {
            tests.push(TestResult {
                name: name.to_string(),
                passed: false,
                error: String::new(),
            });
            open = true;
            continue;
        }
        let Some(test) = tests.last_mut().filter(|_| open) else {
            continue;
        };
        if line.starts_with("[ PASS ] ") {
            test.passed = true;
            test.error.clear();
            open = false;
        } else if line.starts_with("[ FAIL ] ") {
            open = false;
        } else if test.error.is_empty() || is_error(line) && !is_error(&test.error) {
            test.error = line.chars().take(KEPT_ERROR).collect();
        }
    }
    tests
}

/// Whether a line says what went wrong, rather than being a worker's own.
fn is_error(line: &str) -> bool {
    line.starts_with("Uncaught") || line.starts_with("error:")
}

/// The first line by which the program says why it ran nothing.
fn complaint(text: &str) -> String {
    let line = text
        .lines()
        .find(|line| line.starts_with("error:"))
        .or_else(|| text.lines().find(|line| !line.is_empty()));
    line.unwrap_or("no output")
        .chars()
        .take(KEPT_ERROR)
        .collect()
}

fn tail(text: &str) -> String {
    let mut start = text.len().saturating_sub(KEPT_OUTPUT);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    text[start..].to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_without_a_result_failed() {
        let text = "[ TEST ] a\n[ PASS ] a (1ms)\n[ TEST ] a:b\nlog\nUncaught Error: no\n    at b\n\
                    [ FAIL ] a:b (2ms)\n[ TEST ] a:c\n";
        let expected = [
            ("a", true, ""),
            ("a:b", false, "Uncaught Error: no"),
            ("a:c", false, ""),
        ];
        let expected = expected.map(|(name, passed, error)| TestResult {
            name: name.into(),
            passed,
            error: error.into(),
        });
        assert_eq!(tests(text), expected);
    }
}
