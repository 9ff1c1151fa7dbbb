//! `onlyIf`: whether an object is as the asker expects it (RFC 9110, 13.2.2, with
//! Workers' strict comparison of times).

use super::protocol::{Conditional, Etag};

/// What conditions look at; none where there is no object.
pub(super) fn holds(conditional: &Conditional, object: Option<(&str, i64)>) -> bool {
    let Some((etag, uploaded)) = object else {
        return conditional.etag_matches.is_none() && conditional.uploaded_after.is_none();
    };
    let time = |time: i64| match conditional.seconds_granularity {
        true => time.div_euclid(1000) * 1000,
        false => time,
    };
    let uploaded = time(uploaded);
    let matches = conditional
        .etag_matches
        .as_ref()
        .map(|etags| includes(etags, etag, Comparison::Strong));
    let differs = conditional
        .etag_does_not_match
        .as_ref()
        .map(|etags| !includes(etags, etag, Comparison::Weak));
    let after = conditional
        .uploaded_after
        .is_none_or(|after| time(after) < uploaded);
    let before = conditional
        .uploaded_before
        .is_none_or(|before| uploaded < time(before));
    // An etag that holds is a better word on the object than its time.
    matches != Some(false)
        && differs != Some(false)
        && (after || differs == Some(true))
        && (before || matches == Some(true))
}

/// RFC 9110, 8.8.3.2.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Strong,
    Weak,
}

fn includes(etags: &[Etag], etag: &str, comparison: Comparison) -> bool {
    etags.iter().any(|asked| match asked {
        Etag::Wildcard => true,
        Etag::Strong { value } => value == etag,
        Etag::Weak { value } => comparison == Comparison::Weak && value == etag,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strong(value: &str) -> Option<Vec<Etag>> {
        Some(vec![Etag::Strong {
            value: value.into(),
        }])
    }

    #[test]
    fn conditions_hold_as_workers_have_them() {
        let object = Some(("e", 5_500));
        let check = |conditional: Conditional, there: bool, missing: bool| {
            assert_eq!(holds(&conditional, object), there, "{conditional:?}");
            assert_eq!(holds(&conditional, None), missing, "{conditional:?}");
        };
        let none = Conditional::default;
        check(none(), true, true);
        let etag_matches = |etag_matches| Conditional {
            etag_matches,
            ..none()
        };
        let etag_does_not_match = |etag_does_not_match| Conditional {
            etag_does_not_match,
            ..none()
        };
        check(etag_matches(strong("e")), true, false);
        check(etag_matches(strong("f")), false, false);
        check(etag_matches(Some(vec![Etag::Wildcard])), true, false);
        let weak = Some(vec![Etag::Weak { value: "e".into() }]);
        check(etag_matches(weak.clone()), false, false);
        check(etag_does_not_match(weak), false, true);
        check(etag_does_not_match(strong("e")), false, true);
        check(etag_does_not_match(strong("f")), true, true);
        check(etag_does_not_match(Some(vec![Etag::Wildcard])), false, true);
        let times = |after, before, seconds| Conditional {
            uploaded_after: after,
            uploaded_before: before,
            seconds_granularity: seconds,
            ..none()
        };
        check(times(Some(5_499), None, false), true, false);
        check(times(Some(5_500), None, false), false, false);
        check(times(Some(5_000), None, true), false, false);
        check(times(None, Some(5_501), false), true, true);
        check(times(None, Some(5_500), false), false, true);
        check(times(None, Some(5_999), true), false, true);
        // An etag overrules a time.
        let both = Conditional {
            etag_matches: strong("e"),
            uploaded_before: Some(0),
            ..none()
        };
        check(both, true, false);
    }
}
