use super::*;

fn of(date: &str, flags: &[&str]) -> Compatibility {
    Compatibility::new(date, flags).unwrap()
}

fn fault(flags: &[&str]) -> String {
    let faults = Compatibility::new("2026-04-01", flags).unwrap_err();
    let shown: Vec<_> = faults
        .iter()
        .map(|fault| format!("{:?}: {fault}", fault.index()))
        .collect();
    shown.join("\n")
}

#[test]
fn dates_turn_flags_on() {
    assert!(!of("2022-03-20", &[]).has(Flag::GlobalNavigator));
    assert!(of("2022-03-21", &[]).has(Flag::GlobalNavigator));
    assert!(of("2000-01-01", &["global_navigator"]).has(Flag::GlobalNavigator));
    assert!(!of("2026-01-01", &["no_global_navigator"]).has(Flag::GlobalNavigator));
    assert!(of("2000-01-01", &[]).has(Flag::R2PublicBetaBindings));
    assert!(!of("2026-11-01", &[]).has(Flag::PreciseTimers));
}

#[test]
fn flags_imply_flags_from_a_date_on() {
    assert!(!of("2024-09-22", &["nodejs_compat"]).has(Flag::NodejsCompatV2));
    assert!(of("2024-09-23", &["nodejs_compat"]).has(Flag::NodejsCompatV2));
    assert!(!of("2024-09-23", &[]).has(Flag::NodejsCompatV2));
    let without = of("2024-09-23", &["nodejs_compat", "no_nodejs_compat_v2"]);
    assert!(!without.has(Flag::NodejsCompatV2));
    // Through another that is implied.
    assert!(of("2025-09-01", &["nodejs_compat"]).has(Flag::EnableNodejsHttpServerModules));
}

#[test]
fn faults_have_their_place_and_a_way_out() {
    for (flags, expected) in [
        (
            &["url_standard", "url_standart"][..],
            "Some(1): \"url_standart\" is no compatibility flag; did you mean \"url_standard\"?",
        ),
        (&["xyz"], "Some(0): \"xyz\" is no compatibility flag"),
        (
            &["nodejs_compat", "nodejs_compat"],
            "Some(1): \"nodejs_compat\" is there twice",
        ),
        (
            &["nodejs_compat", "no_nodejs_compat"],
            "Some(1): \"no_nodejs_compat\" contradicts \"nodejs_compat\"; keep one of them",
        ),
        (
            &["python_workers"],
            "Some(0): \"python_workers\": Outboard does not serve Python Workers",
        ),
    ] {
        assert_eq!(fault(flags), expected);
    }
    for date in [
        "",
        "2026-4-1",
        "2026-13-01",
        "2026-04-32",
        "2026/04/01",
        "20260401",
    ] {
        let faults = Compatibility::new(date, &[""; 0]).unwrap_err();
        assert_eq!(faults, [Fault::BadDate(date.into())]);
    }
}

#[test]
fn what_is_given_and_not_met_is_told() {
    let told = |flags: &[&str]| {
        let unmet = unmet(flags);
        unmet.into_iter().map(|one| one.message).collect::<Vec<_>>()
    };
    assert_eq!(
        told(&["global_navigator", "durable_object_alarms"]),
        [""; 0]
    );
    assert_eq!(
        told(&["python_workers"]),
        ["\"python_workers\" has no effect: Outboard does not offer Python Workers"]
    );
}

#[test]
fn the_table_is_sound() {
    let mut before = None;
    for info in FLAGS {
        assert!(
            before < Some(info.flag as u16),
            "{}: by number",
            info.enable
        );
        before = Some(info.flag as u16);
        let all = names().filter(|name| Some(*name) == info.disable || *name == info.enable);
        assert_eq!(all.count(), 1 + usize::from(info.disable.is_some()));
        assert!((info.flag as usize) < WORDS * 64);
        for date in info
            .since
            .into_iter()
            .chain(info.implied.map(|(_, after)| after))
        {
            assert!(date == 0 || parse_date(&show_date(date)) == Some(date));
        }
    }
}

#[test]
fn bytes_hold_the_flags() {
    let bytes = of("2000-01-01", &["global_navigator"]).bytes();
    let flag = Flag::GlobalNavigator as usize;
    assert_eq!(bytes[flag / 8] & (1 << (flag % 8)), 1 << (flag % 8));
}

/// The table of the page for users. `OUTBOARD_WRITE_DOCS=1` writes it anew.
#[test]
fn the_page_has_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/compatibility.md");
    let page = std::fs::read_to_string(path).unwrap();
    let head = "| Flag | To disable | Default since | Outboard |\n|---|---|---|---|\n";
    let (before, _) = page
        .split_once(head)
        .expect("the page has the table's head");
    let mut expected = format!("{before}{head}");
    for info in FLAGS {
        let disable = info
            .disable
            .map_or(String::new(), |name| format!("`{name}`"));
        let mut since = match info.since {
            Some(0) => "always".to_owned(),
            Some(date) => show_date(date),
            None => String::new(),
        };
        if let Some((by, after)) = info.implied {
            let by = FLAGS.iter().filter(|other| by.contains(&other.flag));
            let by: Vec<_> = by.map(|other| format!("`{}`", other.enable)).collect();
            let comma = if since.is_empty() { "" } else { ", " };
            since += &format!("{comma}with {} since {}", by.join(" or "), show_date(after));
        }
        let support = match info.support {
            Support::Follows => "follows".to_owned(),
            Support::On(what) => format!("on: {what}"),
            Support::Off(what) => format!("off: {what}"),
            Support::Without(what) => format!("without {what}"),
            Support::Obsolete => "obsolete".to_owned(),
        };
        let experimental = if info.experimental {
            " (experimental)"
        } else {
            ""
        };
        let name = info.enable;
        expected += &format!("| `{name}`{experimental} | {disable} | {since} | {support} |\n");
    }
    if std::env::var_os("OUTBOARD_WRITE_DOCS").is_some() {
        std::fs::write(path, &expected).unwrap();
    }
    assert!(
        page == expected || std::env::var_os("OUTBOARD_WRITE_DOCS").is_some(),
        "write it anew"
    );
}
