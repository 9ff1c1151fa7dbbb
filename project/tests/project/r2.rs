//! The names that `env` has R2 buckets by.

use outboard_project::{LoadOptions, R2Bucket};

use crate::faults::check;
use crate::folder::*;

#[test]
fn bindings_are_read() {
    let config = config(
        r#""r2_buckets": [
             { "binding": "FILES", "bucket_name": "files", "preview_bucket_name": "try" },
             { "binding": "MORE_FILES", "jurisdiction": "eu", "remote": false }]"#,
    );
    let folder = Folder::worker(&[("wrangler.jsonc", &config), ("src/index.ts", "")]);
    let loaded = folder.load(&LoadOptions::default()).unwrap();
    let binding = |name: &str, bucket: &str, preview: Option<&str>| R2Bucket {
        name: name.into(),
        bucket: bucket.into(),
        preview: preview.map(Into::into),
    };
    let expected = [
        binding("FILES", "files", Some("try")),
        binding("MORE_FILES", "w-more-files", None),
    ];
    assert_eq!(loaded.project.r2_buckets, expected);
    assert_eq!(loaded.warnings, []);
}

#[test]
fn faults_are_named() {
    check(
        r#""vars": { "A": "1" }, "r2_buckets": [{ "binding": "A", "bucket_name": "abc" }]"#,
        &["2:51: r2_buckets[0].binding: \"A\" is the name of vars.A too"],
    );
    check(
        r#""r2_buckets": [{ "bucket_name": "abc" }]"#,
        &["2:16: r2_buckets[0]: a bucket needs a \"binding\""],
    );
    for bad in ["ab", "a_b", "-ab", "ab-", "a/../b", &"a".repeat(64)] {
        check(
            &format!(r#""r2_buckets": [{{ "binding": "A", "bucket_name": "{bad}" }}]"#),
            &[&format!(
                "2:49: r2_buckets[0].bucket_name: \"{bad}\" is no name of a bucket: 3 to 63 \
                 letters, digits and hyphens, no hyphen first or last"
            )],
        );
    }
    check(
        r#""r2_buckets": [{ "binding": "$", "bucket_name": 5 }]"#,
        &["2:49: r2_buckets[0].bucket_name: expected a string, not a number"],
    );
    check(
        r#""r2_buckets": [{ "binding": "$" }]"#,
        &[
            "2:16: r2_buckets[0]: a bucket needs a \"bucket_name\": 3 to 63 letters, digits and \
             hyphens, no hyphen first or last",
        ],
    );
    check(
        r#""r2_buckets": [{ "binding": "A", "bucket_name": "abc", "remote": true }]"#,
        &["2:56: r2_buckets[0].remote: Outboard keeps buckets itself"],
    );
}
