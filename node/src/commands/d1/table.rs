//! Results as a person reads them.

use std::io::Write;

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Answer {
    results: Rows,
    meta: Meta,
}

#[derive(Deserialize)]
struct Rows {
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
}

#[derive(Deserialize)]
struct Meta {
    changes: u64,
}

/// A table for each statement with rows, and how many rows the others changed.
pub(super) fn print(out: &mut impl Write, results: &[u8]) -> anyhow::Result<()> {
    let answers: Vec<Answer> = serde_json::from_slice(results)?;
    for (index, Answer { results, meta }) in answers.iter().enumerate() {
        if index > 0 && !results.columns.is_empty() {
            writeln!(out)?;
        }
        if results.columns.is_empty() {
            writeln!(out, "{} rows changed", meta.changes)?;
            continue;
        }
        let rows = results.rows.iter();
        let rows: Vec<Vec<String>> = rows.map(|row| row.iter().map(cell).collect()).collect();
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            let cells = cells.chain(results.columns.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<_> = (0..results.columns.len()).map(width).collect();
        line(out, &results.columns, &widths)?;
        let rules: Vec<_> = widths.iter().map(|width| "-".repeat(*width)).collect();
        line(out, &rules, &widths)?;
        for row in &rows {
            line(out, row, &widths)?;
        }
    }
    Ok(())
}

/// The texts in the first column of the last statement's rows.
pub(super) fn first_column(results: &[u8]) -> anyhow::Result<Vec<String>> {
    let mut answers: Vec<Answer> = serde_json::from_slice(results)?;
    let rows = answers.pop().map(|answer| answer.results.rows);
    let cells = rows.unwrap_or_default().into_iter();
    let cells = cells.filter_map(|row| row.into_iter().next());
    let text = |cell| match cell {
        Value::String(text) => Some(text),
        _ => None,
    };
    Ok(cells.filter_map(text).collect())
}

fn line(out: &mut impl Write, cells: &[String], widths: &[usize]) -> std::io::Result<()> {
    let padded = cells.iter().zip(widths);
    let padded: Vec<_> = padded
        .map(|(cell, width)| {
            // A format's width has 16 bits.
            let room = width.saturating_sub(cell.chars().count());
            format!("{cell}{}", " ".repeat(room))
        })
        .collect();
    writeln!(out, "{}", padded.join("  ").trim_end())
}

/// One line, which a terminal does not take for orders.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => "NULL".into(),
        Value::String(text) => {
            let shown = |c: char| match c.is_control() {
                true => c.escape_default().to_string(),
                false => c.to_string(),
            };
            text.chars().map(shown).collect()
        }
        Value::Array(bytes) => format!("({} bytes)", bytes.len()),
        other => other.to_string(),
    }
}
