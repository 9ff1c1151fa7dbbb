//! Points in time as people write them.

use std::fmt;
use std::str::FromStr;

/// Milliseconds since 1970, UTC, as `2026-11-29T20:30:00.000Z`. Read also without
/// what is behind the day, the minutes or the seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub u64);

/// The text is no date since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a time as 2026-11-29T20:30:00Z")]
pub struct BadMoment;

const DAY: u64 = 86_400_000;
/// Days from the first of March of the year 0 to 1970.
const EPOCH: u64 = 719_468;

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, millis) = (self.0 / DAY, self.0 % DAY);
        let (year, month, day) = date_of(days);
        let (hour, minute) = (millis / 3_600_000, millis / 60_000 % 60);
        let (second, millis) = (millis / 1_000 % 60, millis % 1_000);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z"
        )
    }
}

impl FromStr for Moment {
    type Err = BadMoment;

    fn from_str(text: &str) -> Result<Self, BadMoment> {
        let text = text.strip_suffix('Z').unwrap_or(text);
        let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, "00:00"));
        let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
        let days = days_of(year, month, day);
        if year < 1970 || date_of(days) != (year, month, day) {
            return Err(BadMoment);
        }
        let (time, millis) = time.split_once('.').unwrap_or((time, "000"));
        let time = match time.len() {
            5 => format!("{time}:00"),
            _ => time.into(),
        };
        let [hour, minute, second] = numbers(&time, ':', [2, 2, 2])?;
        let [millis] = numbers(millis, '.', [3])?;
        if hour > 23 || minute > 59 || second > 59 {
            return Err(BadMoment);
        }
        let seconds = (hour * 60 + minute) * 60 + second;
        Ok(Self(days * DAY + seconds * 1_000 + millis))
    }
}

fn numbers<const N: usize>(
    text: &str,
    between: char,
    digits: [usize; N],
) -> Result<[u64; N], BadMoment> {
    let mut parts = text.split(between);
    let mut found = [0; N];
    for (number, digits) in found.iter_mut().zip(digits) {
        let part = parts.next().ok_or(BadMoment)?;
        let plain = part.len() == digits && part.bytes().all(|digit| digit.is_ascii_digit());
        let parsed = plain.then(|| part.parse().ok());
        *number = parsed.flatten().ok_or(BadMoment)?;
    }
    parts.next().map_or(Ok(found), |_| Err(BadMoment))
}

// Years begin with March here, so that the leap day comes last, in eras of 400.

fn date_of(days: u64) -> (u64, u64, u64) {
    let shifted = days + EPOCH;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

fn days_of(year: u64, month: u64, day: u64) -> u64 {
    let year = year - u64::from(month <= 2 && year > 0);
    let (era, of_era) = (year / 400, year % 400);
    let from_march = (month + 9) % 12;
    let of_year = (153 * from_march + 2) / 5 + day;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    days.saturating_sub(EPOCH + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn moments_are_written_as_dates() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_767_225_599_999, "2025-12-31T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(Moment(millis).to_string(), text);
        }
        for short in ["2000-02-29", "2000-02-29 00:00", "2000-02-29T00:00:00Z"] {
            assert_eq!(short.parse(), Ok(Moment(951_782_400_000)), "{short}");
        }
        for bad in [
            "",
            "2001-02-29",
            "1969-12-31",
            "2000-13-01",
            "2000-01-01T24:00",
            "+200-01-01",
        ] {
            assert_eq!(bad.parse::<Moment>(), Err(BadMoment), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(millis in 0..253_402_300_800_000_u64, noise in ".{0,30}") {
            prop_assert_eq!(Moment(millis).to_string().parse(), Ok(Moment(millis)));
            let _ = noise.parse::<Moment>();
        }
    }
}
