//! Cron expressions, as Workers' triggers have them: five parts, in UTC, with `L`, `W`
//! and `#`, names of months and days, and weekdays from 1, which is Sunday, to 7.

use std::fmt;

use chrono::DateTime;
use croner::parser::{CronParser, Seconds, Year};
use serde::{Deserialize, Serialize};

/// When something is to run.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cron {
    text: String,
    parsed: croner::Cron,
}

/// Why a text is no cron expression.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    #[error("a cron expression has five parts (minute hour day month weekday), not {0}")]
    Parts(usize),
    #[error("no cron expression: {0}")]
    Syntax(String),
    #[error("no day ever matches it")]
    Never,
}

/// A day in 2000 from which every expression that ever matches does within decades.
const SOME_DAY: i64 = 946_684_800_000;

impl Cron {
    pub fn parse(text: &str) -> Result<Self, CronError> {
        match text.split_whitespace().count() {
            5 => {}
            parts => return Err(CronError::Parts(parts)),
        }
        let parser = CronParser::builder()
            .seconds(Seconds::Disallowed)
            .year(Year::Disallowed)
            .alternative_weekdays(true)
            .build();
        let parsed = parser
            .parse(text)
            .map_err(|error| CronError::Syntax(error.to_string()))?;
        let cron = Self {
            text: text.to_owned(),
            parsed,
        };
        match cron.next(SOME_DAY) {
            Some(_) => Ok(cron),
            None => Err(CronError::Never),
        }
    }

    /// The next time after `after`, both in milliseconds since 1970.
    pub fn next(&self, after: i64) -> Option<i64> {
        let after = DateTime::from_timestamp_millis(after)?;
        let next = self.parsed.find_next_occurrence(&after, false).ok()?;
        Some(next.timestamp_millis())
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl From<Cron> for String {
    fn from(cron: Cron) -> Self {
        cron.text
    }
}

impl TryFrom<String> for Cron {
    type Error = CronError;

    fn try_from(text: String) -> Result<Self, CronError> {
        Self::parse(&text)
    }
}

impl PartialEq for Cron {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Cron {}

impl fmt::Debug for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cron").field(&self.text).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The times that follow 2026-01-01T00:00:00Z, a Thursday.
    fn next(text: &str, count: usize) -> Vec<String> {
        let cron = Cron::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let mut at = 1_767_225_600_000;
        let times = (0..count).map(|_| {
            at = cron.next(at).expect("it comes again");
            let time = DateTime::from_timestamp_millis(at).expect("a time");
            format!("{:?}", time.naive_utc())[5..].replace('T', " ")
        });
        times.collect()
    }

    #[test]
    fn expressions_of_workers_documentation_are_understood() {
        let check =
            |text, expected: &[&str]| assert_eq!(next(text, expected.len()), expected, "{text}");
        check("* * * * *", &["01-01 00:01:00", "01-01 00:02:00"]);
        check("*/30 * * * *", &["01-01 00:30:00", "01-01 01:00:00"]);
        check("45 * * * *", &["01-01 00:45:00", "01-01 01:45:00"]);
        // Sundays and Mondays to Fridays, by name and by number.
        check("0 17 * * sun", &["01-04 17:00:00", "01-11 17:00:00"]);
        check("0 17 * * 1", &["01-04 17:00:00", "01-11 17:00:00"]);
        check(
            "10 7 * * mon-fri",
            &["01-01 07:10:00", "01-02 07:10:00", "01-05 07:10:00"],
        );
        check(
            "10 7 * * 2-6",
            &["01-01 07:10:00", "01-02 07:10:00", "01-05 07:10:00"],
        );
        check("0 15 1 * *", &["01-01 15:00:00", "02-01 15:00:00"]);
        // The last Friday, and the last day that is none of a weekend.
        check("0 18 * * 6L", &["01-30 18:00:00", "02-27 18:00:00"]);
        check("0 18 * * friL", &["01-30 18:00:00", "02-27 18:00:00"]);
        check("59 23 LW * *", &["01-30 23:59:00", "02-27 23:59:00"]);
        check("0 0 L * *", &["01-31 00:00:00", "02-28 00:00:00"]);
        check("0 0 * * mon#2", &["01-12 00:00:00", "02-09 00:00:00"]);
        check("0 0 15W * *", &["01-15 00:00:00", "02-16 00:00:00"]);
        check("0 0 1 feb,APR *", &["02-01 00:00:00", "04-01 00:00:00"]);
    }

    #[test]
    fn what_is_none_says_why() {
        let fault = |text| Cron::parse(text).map(drop).unwrap_err().to_string();
        assert_eq!(
            fault("* * * *"),
            "a cron expression has five parts (minute hour day month weekday), not 4"
        );
        assert_eq!(fault("0 0 30 2 *"), "no day ever matches it");
        for text in [
            "60 * * * *",
            "x * * * *",
            "* * * * 8",
            "* 24 * * *",
            "*/0 * * * *",
        ] {
            assert!(fault(text).starts_with("no cron expression: "), "{text}");
        }
    }
}
