//! What was measured, as a Markdown table for people and JSON for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::machine::Machine;
use crate::peer::Column;

/// One figure of one runtime.
#[derive(Clone)]
pub(crate) struct Samples {
    value: f64,
    rounds: Vec<f64>,
}

impl Samples {
    /// The median of the rounds; None without a round.
    pub(crate) fn median(mut rounds: Vec<f64>) -> Option<Self> {
        if rounds.is_empty() {
            return None;
        }
        let unsorted = rounds.clone();
        rounds.sort_by(f64::total_cmp);
        let middle = rounds.len() / 2;
        let value = if rounds.len() % 2 == 1 {
            rounds[middle]
        } else {
            (rounds[middle - 1] + rounds[middle]) / 2.0
        };
        Some(Self {
            value,
            rounds: unsorted,
        })
    }

    /// A figure over all rounds together, such as a percentile that one round has too few events for.
    pub(crate) fn pooled(value: f64, rounds: Vec<f64>) -> Option<Self> {
        (!rounds.is_empty()).then_some(Self { value, rounds })
    }

    pub(crate) fn value(&self) -> f64 {
        self.value
    }

    fn min(&self) -> f64 {
        self.rounds.iter().copied().fold(f64::INFINITY, f64::min)
    }

    fn max(&self) -> f64 {
        self.rounds
            .iter()
            .copied()
            .fold(f64::NEG_INFINITY, f64::max)
    }
}

pub(crate) struct Row {
    /// The measurement's name for --only.
    pub(crate) measurement: &'static str,
    pub(crate) what: String,
    pub(crate) unit: &'static str,
    /// What the project aims for; printed beside the figure, never asserted.
    pub(crate) aim: &'static str,
    pub(crate) workerd: Option<Samples>,
    pub(crate) outboard: Option<Samples>,
}

impl Row {
    pub(crate) fn new(
        measurement: &'static str,
        what: impl Into<String>,
        unit: &'static str,
    ) -> Self {
        Self {
            measurement,
            what: what.into(),
            unit,
            aim: "",
            workerd: None,
            outboard: None,
        }
    }

    pub(crate) fn aim(mut self, aim: &'static str) -> Self {
        self.aim = aim;
        self
    }

    pub(crate) fn set(&mut self, column: Column, samples: Option<Samples>) {
        match column {
            Column::Workerd => self.workerd = samples,
            Column::Outboard => self.outboard = samples,
        }
    }

    fn ratio(&self) -> Option<f64> {
        let workerd = self.workerd.as_ref()?.value;
        (workerd > 0.0).then_some(self.outboard.as_ref()?.value / workerd)
    }
}

pub(crate) struct Report {
    pub(crate) machine: Machine,
    /// Label and version of each program.
    pub(crate) programs: Vec<(&'static str, String)>,
    pub(crate) effort: &'static str,
    pub(crate) rows: Vec<Row>,
    pub(crate) notes: Vec<String>,
}

impl Report {
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::new();
        let machine = &self.machine;
        let _ = writeln!(
            text,
            "{} · {} · {} cores · {} GB · Linux {}",
            machine.date,
            machine.cpu,
            machine.cores,
            (machine.memory_bytes as f64 / 1e9).round(),
            machine.kernel
        );
        let programs: Vec<_> = self
            .programs
            .iter()
            .map(|(label, version)| format!("{label}: {version}"))
            .collect();
        let _ = writeln!(text, "{} · {}\n", programs.join(" · "), self.effort);

        let mut cells = vec![
            [
                "Measurement",
                "Unit",
                "workerd",
                "outboard",
                "outboard / workerd",
                "Aim",
            ]
            .map(String::from),
        ];
        for row in &self.rows {
            let ratio = row.ratio().map_or_else(
                || "–".to_owned(),
                |ratio| {
                    if ratio < 0.1 {
                        format!("{ratio:.3}")
                    } else {
                        format!("{ratio:.2}")
                    }
                },
            );
            cells.push([
                row.what.clone(),
                row.unit.to_owned(),
                show(&row.workerd),
                show(&row.outboard),
                ratio,
                row.aim.to_owned(),
            ]);
        }
        let widths: Vec<usize> = (0..6)
            .map(|column| {
                cells
                    .iter()
                    .map(|row| row[column].chars().count())
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        for (index, row) in cells.iter().enumerate() {
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let pad = " ".repeat(width - cell.chars().count());
                let _ = if column < 2 {
                    write!(text, "| {cell}{pad} ")
                } else {
                    write!(text, "| {pad}{cell} ")
                };
            }
            text.push_str("|\n");
            if index == 0 {
                for (column, width) in widths.iter().enumerate() {
                    let dashes = "-".repeat(width + 1);
                    let _ = if column < 2 {
                        write!(text, "|-{dashes}")
                    } else {
                        write!(text, "|{dashes}:")
                    };
                }
                text.push_str("|\n");
            }
        }
        if !self.notes.is_empty() {
            text.push('\n');
        }
        for note in &self.notes {
            let _ = writeln!(text, "- {note}");
        }
        text
    }

    pub(crate) fn json(&self) -> Value {
        let samples = |samples: &Option<Samples>| {
            samples.as_ref().map(|samples| {
                json!({ "value": samples.value, "min": samples.min(), "max": samples.max(), "rounds": samples.rounds })
            })
        };
        let rows: Vec<_> = self
            .rows
            .iter()
            .map(|row| {
                json!({
                    "measurement": row.measurement,
                    "what": row.what,
                    "unit": row.unit,
                    "aim": row.aim,
                    "workerd": samples(&row.workerd),
                    "outboard": samples(&row.outboard),
                    "ratio": row.ratio(),
                })
            })
            .collect();
        let programs: serde_json::Map<String, Value> = self
            .programs
            .iter()
            .map(|(label, version)| ((*label).to_owned(), version.clone().into()))
            .collect();
        json!({
            "machine": {
                "cpu": self.machine.cpu,
                "cores": self.machine.cores,
                "memory_bytes": self.machine.memory_bytes,
                "kernel": self.machine.kernel,
            },
            "date": self.machine.date,
            "versions": programs,
            "effort": self.effort,
            "rows": rows,
            "notes": self.notes,
        })
    }
}

/// `23,100 (22,500–23,800)`: the figure, and the least and most of the rounds.
fn show(samples: &Option<Samples>) -> String {
    let Some(samples) = samples else {
        return "–".to_owned();
    };
    format!(
        "{} ({}–{})",
        number(samples.value),
        number(samples.min()),
        number(samples.max())
    )
}

/// Three significant digits, thousands apart.
fn number(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let digits = value.abs().log10().floor() as i32 + 1;
    if digits < 3 {
        return format!("{value:.*}", (3 - digits).clamp(1, 6) as usize);
    }
    let scale = 10f64.powi(digits - 3);
    let rounded = ((value / scale).round() * scale).round() as i64;
    let plain = rounded.to_string();
    let mut text = String::new();
    for (index, digit) in plain.chars().enumerate() {
        if index > 0 && (plain.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits() {
        let check = |value, expected| assert_eq!(number(value), expected);
        check(0.0, "0");
        check(0.012_34, "0.0123");
        check(0.5, "0.500");
        check(4.987, "4.99");
        check(43.21, "43.2");
        check(999.6, "1,000");
        check(23_149.0, "23,100");
        check(1_234_567.0, "1,230,000");
    }

    #[test]
    fn the_median_is_robust() {
        assert_eq!(Samples::median(vec![5.0, 1.0, 3.0]).unwrap().value(), 3.0);
        assert_eq!(Samples::median(vec![4.0, 2.0]).unwrap().value(), 3.0);
        assert!(Samples::median(vec![]).is_none());
    }
}
