//! Whose leave a node has on S3: a key and its secret, which no text of the
//! configuration has, and no message says.

use std::path::Path;

use object_store::aws::AwsCredential;

/// The names that tools for AWS have for them.
const KEY: &str = "AWS_ACCESS_KEY_ID";
const SECRET: &str = "AWS_SECRET_ACCESS_KEY";
const TOKEN: &str = "AWS_SESSION_TOKEN";

/// Of what `variable` gives for a name.
pub(super) fn of_environment(
    variable: impl Fn(&str) -> Option<String>,
) -> Result<AwsCredential, String> {
    let get = |name: &str| variable(name).filter(|value| !value.is_empty());
    let (key, secret) = (get(KEY), get(SECRET));
    if key.is_none() && secret.is_none() {
        return Err(format!(
            "there are none in the environment; set {KEY} and {SECRET}"
        ));
    }
    let key = key.ok_or_else(|| format!("{KEY} is not set, but {SECRET} is"))?;
    let secret = secret.ok_or_else(|| format!("{SECRET} is not set, but {KEY} is"))?;
    sound(AwsCredential {
        key_id: key,
        secret_key: secret,
        token: get(TOKEN),
    })
}

/// Of a file as tools for AWS keep it: its section `default`, or lines of no section.
pub(super) fn of_file(path: &Path) -> Result<AwsCredential, String> {
    let text =
        std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    of_text(&text).map_err(|why| format!("{}: {why}", path.display()))
}

fn of_text(text: &str) -> Result<AwsCredential, String> {
    let mut found = [const { None }; 3];
    let mut ours = true;
    for line in text.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[') {
            ours = section.trim_end_matches(']').trim() == "default";
            continue;
        }
        if !ours || line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        let Some((name, value)) = line.split_once('=') else {
            continue;
        };
        let names = [KEY, SECRET, TOKEN];
        let name = name.trim().to_ascii_uppercase();
        if let Some(at) = names.iter().position(|other| *other == name) {
            found[at] = Some(value.trim().to_string()).filter(|value| !value.is_empty());
        }
    }
    let [key, secret, token] = found;
    let missing = |name: &str| {
        let name = name.to_ascii_lowercase();
        format!("it has no {name}; write {name} = ...")
    };
    sound(AwsCredential {
        key_id: key.ok_or_else(|| missing(KEY))?,
        secret_key: secret.ok_or_else(|| missing(SECRET))?,
        token,
    })
}

/// They are sent in headers.
fn sound(credential: AwsCredential) -> Result<AwsCredential, String> {
    let check = |name: &str, value: &str| match value.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(()),
        false => Err(format!("{name} has characters that no such value has")),
    };
    check(KEY, &credential.key_id)?;
    check(SECRET, &credential.secret_key)?;
    check(TOKEN, credential.token.as_deref().unwrap_or_default())?;
    Ok(credential)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_aws_is_read() {
        let text = "# mine\n[other]\naws_access_key_id = no\n[default]\n\
                    aws_access_key_id = KEY\naws_secret_access_key=se/cr+et=\nregion = x\n";
        let credential = of_text(text).expect("credentials");
        assert_eq!(credential.key_id, "KEY");
        assert_eq!(credential.secret_key, "se/cr+et=");
        assert_eq!(credential.token, None);
        let bare = "AWS_ACCESS_KEY_ID=a\nAWS_SECRET_ACCESS_KEY=b\nAWS_SESSION_TOKEN=c\n";
        let credential = of_text(bare).expect("credentials");
        assert_eq!(credential.token.as_deref(), Some("c"));
        let error = of_text("aws_access_key_id = KEY\n").expect_err("a fault");
        assert!(error.contains("no aws_secret_access_key"), "{error}");
        let error = of_text("aws_access_key_id=k\naws_secret_access_key=s\u{e9}cret\n");
        let error = error.expect_err("a fault");
        assert!(
            !error.contains("cret\u{e9}") && !error.contains('\u{e9}'),
            "{error}"
        );
    }

    #[test]
    fn the_environment_is_read() {
        let with = |pairs: &[(&str, &str)]| {
            of_environment(|name| {
                let found = pairs.iter().find(|(other, _)| *other == name);
                found.map(|(_, value)| (*value).to_string())
            })
        };
        assert_eq!(
            with(&[(KEY, "k"), (SECRET, "s")]).expect("both").key_id,
            "k"
        );
        for (pairs, expected) in [
            (&[][..], "there are none"),
            (&[(KEY, "k")][..], "AWS_SECRET_ACCESS_KEY is not set"),
            (&[(SECRET, "s")][..], "AWS_ACCESS_KEY_ID is not set"),
            (
                &[(KEY, "k"), (SECRET, "s\n")][..],
                "AWS_SECRET_ACCESS_KEY has characters",
            ),
        ] {
            let error = with(pairs).expect_err("a fault");
            assert!(error.contains(expected), "{error}");
        }
    }
}
