//! Where a bucket on S3 is: what is written of it, checked.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use http::Uri;
use object_store::aws::AwsCredential;

use super::credentials;

/// S3's limits of a bucket's name; the prefix leaves half of a key to the worker.
const MOST_BUCKET: usize = 63;
const MOST_PREFIX: usize = 512;

/// What is written of a bucket, by the fields' names in `outboard.toml`.
#[derive(Debug, Default)]
pub(crate) struct Written<'a> {
    pub(crate) url: &'a str,
    pub(crate) endpoint: Option<&'a str>,
    pub(crate) region: Option<&'a str>,
    pub(crate) allow_http: bool,
    /// A file; else the environment has them.
    pub(crate) credentials: Option<PathBuf>,
}

/// A field that cannot stay as it is, and why.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {why}")]
pub(crate) struct PlaceFault {
    pub(crate) field: &'static str,
    pub(crate) why: String,
}

fn fault(field: &'static str, why: impl Into<String>) -> PlaceFault {
    PlaceFault {
        field,
        why: why.into(),
    }
}

/// A bucket on S3, and whose leave the node has to use it.
#[derive(Clone, PartialEq)]
pub(crate) struct Place {
    /// What all addresses of objects begin with; no slash behind it.
    pub(super) base: String,
    pub(super) bucket: String,
    /// What all keys begin with there: nothing, or a path with a slash behind it.
    pub(super) prefix: String,
    pub(super) region: String,
    pub(super) credential: Arc<AwsCredential>,
}

impl Place {
    pub(crate) fn new(written: &Written<'_>) -> Result<Self, PlaceFault> {
        let (bucket, prefix) = read_url(written.url)?;
        let region = written.region.unwrap_or("us-east-1");
        let letter = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if region.is_empty() || region.len() > 64 || !region.chars().all(letter) {
            let why = format!("{region:?}: write a region's name, \"eu-central-1\"");
            return Err(fault("region", why));
        }
        let base = match written.endpoint {
            Some(endpoint) => {
                let endpoint = read_endpoint(endpoint, written.allow_http)?;
                format!("{endpoint}/{bucket}")
            }
            // A certificate's wildcard is one label.
            None if bucket.contains('.') => {
                format!("https://s3.{region}.amazonaws.com/{bucket}")
            }
            None => format!("https://{bucket}.s3.{region}.amazonaws.com"),
        };
        let credential = match &written.credentials {
            Some(path) => credentials::of_file(path),
            None => credentials::of_environment(|name| std::env::var(name).ok()),
        };
        let credential = credential.map_err(|why| fault("credentials", why))?;
        Ok(Self {
            base,
            bucket: bucket.into(),
            prefix,
            region: region.into(),
            credential: Arc::new(credential),
        })
    }

    /// `NAME=URL` of the command line; the rest is the environment's, by the names that
    /// tools for AWS have.
    pub(crate) fn of_option(option: &str) -> Result<(String, Self), PlaceFault> {
        let named = option.split_once('=').filter(|(name, _)| !name.is_empty());
        let (name, url) = named.ok_or_else(|| fault("--r2", "write NAME=s3://BUCKET/PREFIX"))?;
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let endpoint = variable("AWS_ENDPOINT_URL_S3").or_else(|| variable("AWS_ENDPOINT_URL"));
        let region = variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION"));
        let written = Written {
            url,
            endpoint: endpoint.as_deref(),
            region: region.as_deref(),
            // The developer's own machines are what is tried.
            allow_http: true,
            credentials: None,
        };
        let place = Self::new(&written).map_err(|fault| PlaceFault {
            field: match fault.field {
                "endpoint" => "AWS_ENDPOINT_URL",
                "region" => "AWS_REGION",
                _ => "--r2",
            },
            why: format!("{name}: {}", fault.why),
        })?;
        Ok((name.into(), place))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)
    }
}

/// Without what is secret.
impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place")
            .field("base", &self.base)
            .field("prefix", &self.prefix)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// Never says the URL again: it may be one with a password.
fn read_url(url: &str) -> Result<(&str, String), PlaceFault> {
    let form = "write \"s3://BUCKET\" or \"s3://BUCKET/PREFIX\"";
    let rest = url
        .strip_prefix("s3://")
        .ok_or_else(|| fault("url", form))?;
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let letter = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let sound = (3..=MOST_BUCKET).contains(&bucket.len())
        && bucket.chars().all(letter)
        && !bucket.contains("..")
        && ends(bucket.chars().next())
        && ends(bucket.chars().last());
    if !sound {
        let why = format!("that is no name of a bucket of S3; {form}");
        return Err(fault("url", why));
    }
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    if prefix.is_empty() {
        return Ok((bucket, String::new()));
    }
    let odd = |part: &str| matches!(part, "" | "." | "..") || part.chars().any(char::is_control);
    if prefix.len() > MOST_PREFIX || prefix.split('/').any(odd) {
        let why = format!(
            "its prefix has parts that are empty, \".\" or \"..\", or more than {MOST_PREFIX} bytes"
        );
        return Err(fault("url", why));
    }
    Ok((bucket, format!("{prefix}/")))
}

/// Its address as a URL begins with it.
fn read_endpoint(endpoint: &str, allow_http: bool) -> Result<String, PlaceFault> {
    let form = "write a scheme, a host and perhaps a port, \"https://s3.example.com\"";
    let uri: Uri = endpoint.parse().map_err(|_| fault("endpoint", form))?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(fault("endpoint", form));
    };
    let bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
    if !bare || authority.as_str().contains('@') || authority.host().is_empty() {
        return Err(fault("endpoint", form));
    }
    let host = authority
        .host()
        .trim_start_matches('[')
        .trim_end_matches(']');
    let loopback = host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    match scheme {
        "https" => {}
        "http" if allow_http || loopback => {}
        "http" => {
            let why = "http shows everybody on the way what is read and written; write https, \
                       or allow_http = true";
            return Err(fault("endpoint", why));
        }
        _ => return Err(fault("endpoint", form)),
    }
    // Who signs leaves out a port that goes without saying, and who sends may not.
    let port = match (scheme, authority.port_u16()) {
        ("https", Some(443)) | ("http", Some(80)) | (_, None) => String::new(),
        (_, Some(port)) => format!(":{port}"),
    };
    let host = authority.host().to_ascii_lowercase();
    Ok(format!("{scheme}://{host}{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_a_bucket_and_a_prefix() {
        let check = |url: &str, expected: Option<(&str, &str)>| {
            let found = read_url(url).ok();
            let expected = expected.map(|(bucket, prefix)| (bucket, prefix.to_string()));
            assert_eq!(found, expected, "{url}");
        };
        check("s3://bucket", Some(("bucket", "")));
        check("s3://bucket/", Some(("bucket", "")));
        check("s3://b.c-d/e/f g/", Some(("b.c-d", "e/f g/")));
        for bad in [
            "",
            "bucket",
            "https://bucket",
            "s3://",
            "s3://ab",
            "s3://key:secret@bucket",
            "s3://-bucket",
            "s3://buc..ket",
            "s3://bucket//a",
            "s3://bucket/a/../b",
            "s3://bucket/a//",
            "s3://bucket/a\nb",
        ] {
            check(bad, None);
        }
        let error = read_url("s3://key:secret@bucket").expect_err("a fault");
        assert!(!error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn an_endpoint_is_https_or_near() {
        let check = |endpoint: &str, allow: bool, expected: Option<&str>| {
            let found = read_endpoint(endpoint, allow).ok();
            assert_eq!(found.as_deref(), expected, "{endpoint}");
        };
        check(
            "https://S3.example.com",
            false,
            Some("https://s3.example.com"),
        );
        check(
            "https://s3.example.com:443/",
            false,
            Some("https://s3.example.com"),
        );
        check(
            "http://127.0.0.1:9000",
            false,
            Some("http://127.0.0.1:9000"),
        );
        check("http://[::1]:9000", false, Some("http://[::1]:9000"));
        check("http://localhost", false, Some("http://localhost"));
        check("http://minio:9000", false, None);
        check("http://minio:9000", true, Some("http://minio:9000"));
        for bad in [
            "minio:9000",
            "ftp://minio",
            "https://a:b@minio",
            "https://minio/path",
            "https://minio/?q",
            "https://",
        ] {
            check(bad, true, None);
        }
    }
}
