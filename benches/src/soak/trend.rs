//! A straight line through samples, by least squares.

use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Trend {
    pub(crate) mean: f64,
    /// A second.
    pub(crate) slope: f64,
    /// Seconds from the first sample to the last.
    pub(crate) length: f64,
}

impl Trend {
    /// Of no samples, or of one, the line is level.
    pub(crate) fn of(samples: impl Iterator<Item = (Duration, f64)>) -> Self {
        let samples: Vec<_> = samples.map(|(at, y)| (at.as_secs_f64(), y)).collect();
        let count = samples.len().max(1) as f64;
        let mean = samples.iter().map(|(_, y)| y).sum::<f64>() / count;
        let middle = samples.iter().map(|(x, _)| x).sum::<f64>() / count;
        let spread: f64 = samples.iter().map(|(x, _)| (x - middle).powi(2)).sum();
        let together: f64 = samples.iter().map(|(x, y)| (x - middle) * (y - mean)).sum();
        let ends = samples.first().zip(samples.last());
        Self {
            mean,
            slope: if spread > 0.0 { together / spread } else { 0.0 },
            length: ends.map_or(0.0, |((first, _), (last, _))| last - first),
        }
    }

    /// From the line's begin to its end.
    pub(crate) fn growth(&self) -> f64 {
        self.slope * self.length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_goes_through_what_noise_surrounds() {
        let noisy = (0..100).map(|second| {
            let noise = if second % 2 == 0 { 5.0 } else { -5.0 };
            (
                Duration::from_secs(second),
                100.0 + 2.0 * second as f64 + noise,
            )
        });
        let trend = Trend::of(noisy);
        assert!((trend.slope - 2.0).abs() < 0.01, "{trend:?}");
        assert!((trend.growth() - 198.0).abs() < 1.0, "{trend:?}");
        assert!((trend.mean - 199.0).abs() < 0.01, "{trend:?}");
        assert_eq!(Trend::of(std::iter::empty()).growth(), 0.0);
    }
}
