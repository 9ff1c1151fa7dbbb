//! `[[r2]]`: buckets whose objects are not in the data folder but on S3.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Checker, TenantConfig};
use crate::resources::r2::{Place, Written};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BucketToml {
    name: toml::Spanned<String>,
    url: toml::Spanned<String>,
    endpoint: Option<toml::Spanned<String>>,
    region: Option<toml::Spanned<String>>,
    allow_http: Option<bool>,
    credentials: Option<toml::Spanned<PathBuf>>,
}

impl Checker<'_> {
    pub(super) fn buckets(
        &mut self,
        buckets: &[BucketToml],
        tenants: &[TenantConfig],
        base: &Path,
    ) -> Vec<(String, Place)> {
        let mut checked: Vec<(String, Place)> = Vec::new();
        for (index, bucket) in buckets.iter().enumerate() {
            let owner = format!("r2[{index}]");
            let (name, at) = (bucket.name.get_ref(), bucket.name.span().start);
            if name.is_empty() {
                self.fault(at, &format!("{owner}.name: write a bucket's name"));
            }
            let before = &buckets[..index];
            if before.iter().any(|other| other.name.get_ref() == name) {
                self.fault(at, &format!("{owner}.name: {name:?} is there twice"));
            }
            if let Some((tenant, _)) = name.split_once('/')
                && !tenants.iter().any(|other| other.name == tenant)
            {
                let fault = format!("{owner}.name: {name:?}: there is no tenant {tenant:?}");
                self.fault(at, &fault);
            }
            let text = |field: &Option<toml::Spanned<String>>| {
                field.as_ref().map(|field| field.get_ref().clone())
            };
            let (endpoint, region) = (text(&bucket.endpoint), text(&bucket.region));
            let credentials = bucket.credentials.as_ref();
            let place = Place::new(&Written {
                url: bucket.url.get_ref(),
                endpoint: endpoint.as_deref(),
                region: region.as_deref(),
                allow_http: bucket.allow_http.unwrap_or(false),
                credentials: credentials.map(|path| base.join(path.get_ref())),
            });
            match place {
                Ok(place) => checked.push((name.clone(), place)),
                Err(fault) => {
                    let field = match fault.field {
                        "url" => Some(bucket.url.span().start),
                        "endpoint" => bucket.endpoint.as_ref().map(|it| it.span().start),
                        "region" => bucket.region.as_ref().map(|it| it.span().start),
                        _ => credentials.map(|it| it.span().start),
                    };
                    self.fault(field.unwrap_or(at), &format!("{owner}.{fault}"));
                }
            }
        }
        checked
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    #[test]
    fn faults_of_buckets() {
        let dir = tempfile::tempdir().expect("a folder");
        let keys = "aws_access_key_id = KEY\naws_secret_access_key = SECRET\n";
        std::fs::write(dir.path().join("keys"), keys).expect("a file");
        std::fs::write(dir.path().join("none"), "aws_access_key_id = KEY\n").expect("a file");
        let path = dir.path().join("o.toml");
        let worker = "[[worker]]\nname = \"a\"\nmain = \"a.js\"\nroutes = [\"*\"]\n";
        let check = |text: &str, expected: &str| {
            let faults = parse(&path, &format!("{text}{worker}")).expect_err("faults");
            let faults = faults
                .to_string()
                .replace(dir.path().to_str().expect("a text"), "DIR");
            assert_eq!(faults, expected, "{text}");
        };
        check(
            "[[r2]]\nname = \"a\"\nurl = \"s3://me:SECRET@bucket\"\n\
             [[r2]]\nname = \"b/c\"\nurl = \"s3://bucket\"\nendpoint = \"http://minio\"\n\
             [[r2]]\nname = \"d\"\nurl = \"s3://bucket\"\nregion = \"x y\"\n\
             [[r2]]\nname = \"d\"\nurl = \"s3://bucket\"\ncredentials = \"none\"\n\
             [[r2]]\nname = \"\"\nurl = \"s3://bucket\"\ncredentials = \"gone\"\n",
            "DIR/o.toml:3:7: r2[0].url: that is no name of a bucket of S3; write \
             \"s3://BUCKET\" or \"s3://BUCKET/PREFIX\"\n\
             DIR/o.toml:5:8: r2[1].name: \"b/c\": there is no tenant \"b\"\n\
             DIR/o.toml:7:12: r2[1].endpoint: http shows everybody on the way what is read and \
             written; write https, or allow_http = true\n\
             DIR/o.toml:11:10: r2[2].region: \"x y\": write a region's name, \"eu-central-1\"\n\
             DIR/o.toml:13:8: r2[3].name: \"d\" is there twice\n\
             DIR/o.toml:15:15: r2[3].credentials: DIR/none: it has no aws_secret_access_key; \
             write aws_secret_access_key = ...\n\
             DIR/o.toml:17:8: r2[4].name: write a bucket's name\n\
             DIR/o.toml:19:15: r2[4].credentials: DIR/gone: No such file or directory (os error 2)",
        );
        let sound = format!(
            "[[r2]]\nname = \"a\"\nurl = \"s3://bucket/p\"\ncredentials = \"keys\"\n{worker}"
        );
        let config = parse(&path, &sound).expect("a config");
        let shown = format!("{config:?}");
        assert!(
            shown.contains("bucket.s3.us-east-1.amazonaws.com"),
            "{shown}"
        );
        assert!(
            !shown.contains("SECRET") && !shown.contains("KEY"),
            "{shown}"
        );
    }
}
