//! Where files lie that mails link to, as `[files]` in `mailshot.toml` says it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::file::File;
use super::problem::Problems;
use super::retry::Span;
use super::secret::{Secret, SecretSource, key_text};

use crate::text;
use crate::words::Text;

/// How long links last unless `expire` says so.
const LIFETIME: Span = Span(Duration::from_hours(7 * 24));
/// Links of a bucket last so long at most. Source: AWS Signature Version 4, `X-Amz-Expires`.
const BUCKET_LIFETIME_MAX: Span = LIFETIME;
/// Whoever reads a mail in the evening must still get the file.
const LIFETIME_MIN: Span = Span(Duration::from_hours(1));
/// Servers that take the bucket's name only in the host. Sources: help pages of Alibaba OSS and Tencent COS.
const HOST_STYLE: [&str; 2] = [".aliyuncs.com", ".myqcloud.com"];

/// Where files lie that mails link to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DepotSettings {
    /// The folder or the bucket.
    pub place: DepotPlace,
    /// How long a link works, from its mail on.
    pub lifetime: Span,
    /// Is every link tried before mails go?
    pub is_tried: bool,
}

/// A folder or a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DepotPlace {
    /// A folder that a web server shows.
    Folder(FolderSettings),
    /// A bucket of a server that speaks S3.
    Bucket(BucketSettings),
}

/// A folder that a web server shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderSettings {
    /// The folder.
    pub folder: PathBuf,
    /// Its address in the web, without a final slash.
    pub url: String,
    /// The secret that signs links; the web server may know it, to refuse those that have expired.
    key_file: PathBuf,
}

impl FolderSettings {
    /// Reads the key that signs links; makes it when there is none.
    pub fn key(&self) -> anyhow::Result<Secret> {
        Ok(Secret::new(key_text(&self.key_file)?.trim()))
    }
}

/// A bucket of a server that speaks S3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketSettings {
    /// The bucket's name.
    pub bucket: String,
    /// What the names of our objects begin with: empty, or with a final slash.
    pub prefix: String,
    /// The server, without a final slash; that of Amazon in this region when absent.
    pub endpoint: Option<String>,
    /// The region that signatures name.
    pub region: String,
    /// Does the bucket's name stand in the host rather than in the path?
    pub is_host_style: bool,
    /// The public half of the key.
    pub access_key: String,
    secret: SecretSource,
}

impl BucketSettings {
    /// Fetches the secret half of the key.
    pub fn secret(&self, root: &Path) -> anyhow::Result<Secret> {
        self.secret.fetch(
            root,
            &text!("the secret of bucket `{bucket}`", bucket = self.bucket),
        )
    }
}

/// `[files]` as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawDepot {
    folder: Option<PathBuf>,
    url: Option<Spanned<String>>,
    key_file: Option<PathBuf>,
    bucket: Option<Spanned<String>>,
    endpoint: Option<Spanned<String>>,
    region: Option<String>,
    access_key: Option<String>,
    secret_command: Option<String>,
    secret_env: Option<String>,
    secret_file: Option<PathBuf>,
    expire: Option<Spanned<Span>>,
    try_links: Option<bool>,
}

impl RawDepot {
    /// The depot; none, when its table is not there or something is wrong with it.
    pub(super) fn check<T>(
        &self,
        root: &Path,
        file: &File<'_, T>,
        problems: &mut Problems,
    ) -> Option<DepotSettings> {
        let place = match (&self.folder, &self.bucket) {
            (Some(folder), None) => self.folder(root.join(folder), root, file, problems),
            (None, Some(bucket)) => self.bucket(bucket, root, file, problems),
            (Some(_), Some(bucket)) => {
                let problem = file.problem(bucket, text!("a `bucket` besides a `folder`"));
                problems.push(problem.hint(text!("files lie in one of them")));
                None
            }
            (None, None) => {
                let problem = file.problem_in_table("files", text!("neither a `folder` nor a `bucket`"));
                problems.push(problem.hint(text!("say where files lie that mails link to")));
                None
            }
        };
        let lifetime = self.lifetime(file, problems);
        Some(DepotSettings {
            place: place?,
            lifetime,
            is_tried: self.try_links.unwrap_or(true),
        })
    }

    fn lifetime<T>(&self, file: &File<'_, T>, problems: &mut Problems) -> Span {
        let Some(said) = &self.expire else { return LIFETIME };
        let lifetime = *said.get_ref();
        if self.bucket.is_some() && lifetime > BUCKET_LIFETIME_MAX {
            let what = text!(
                "signed links of a bucket last {most} at most, not {lifetime}",
                most = BUCKET_LIFETIME_MAX,
                lifetime
            );
            problems.push(
                file.problem(said, what)
                    .hint(text!("a `folder` has no such limit")),
            );
        }
        if lifetime < LIFETIME_MIN {
            let what = text!(
                "links that end after {lifetime} are dead before the mail is read",
                lifetime
            );
            problems.push(file.problem(said, what).hint(text!("write \"7d\" or so")));
        }
        lifetime
    }

    fn folder<T>(
        &self,
        folder: PathBuf,
        root: &Path,
        file: &File<'_, T>,
        problems: &mut Problems,
    ) -> Option<DepotPlace> {
        if self.url.is_none() {
            let problem = file.problem_in_table("files", text!("a `folder` without its address in the web"));
            problems.push(problem.hint(text!("set `url`, such as \"https://files.example.com\"")));
        }
        let url = file.parse(self.url.as_ref(), problems, web_address)?;
        let key_file = self
            .key_file
            .as_deref()
            .unwrap_or(Path::new(".mailshot/files.key"));
        Some(DepotPlace::Folder(FolderSettings {
            folder,
            url,
            key_file: root.join(key_file),
        }))
    }

    fn bucket<T>(
        &self,
        said: &Spanned<String>,
        root: &Path,
        file: &File<'_, T>,
        problems: &mut Problems,
    ) -> Option<DepotPlace> {
        let text = said.get_ref();
        let path = text.strip_prefix("s3://").unwrap_or(text).trim_matches('/');
        let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
        let is_name = |name: &str| {
            let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
            (3..=63).contains(&name.len()) && name.chars().all(is_plain)
        };
        if !is_name(bucket) {
            let problem = file.problem(said, text!("`{bucket}` is no bucket's name", bucket));
            problems.push(problem.hint(text!(
                "write it like \"s3://my-bucket\", or \"s3://my-bucket/folder\""
            )));
        }
        let endpoint = file.parse(self.endpoint.as_ref(), problems, web_address);
        let secret = [
            self.secret_command.clone().map(SecretSource::Command),
            self.secret_env.clone().map(SecretSource::Env),
            self.secret_file
                .as_ref()
                .map(|path| SecretSource::File(root.join(path))),
        ];
        let mut secrets = secret.into_iter().flatten();
        let (secret, second) = (secrets.next(), secrets.next());
        if second.is_some() {
            problems.push(
                file.problem(said, text!("two places for the secret"))
                    .hint(text!("keep one of them")),
            );
        }
        let (Some(access_key), Some(secret)) = (&self.access_key, secret) else {
            let problem = file.problem(said, text!("a bucket without the key to it"));
            problems.push(problem.hint(
                text!("set `access_key`, and `secret_command`, `secret_env` or `secret_file`; never the secret itself"),
            ));
            return None;
        };
        let host = endpoint.as_deref().unwrap_or_default();
        Some(DepotPlace::Bucket(BucketSettings {
            bucket: bucket.to_owned(),
            prefix: if prefix.is_empty() {
                String::new()
            } else {
                format!("{prefix}/")
            },
            is_host_style: HOST_STYLE.iter().any(|end| host.ends_with(end)),
            endpoint,
            region: self.region.clone().unwrap_or_else(|| "us-east-1".to_owned()),
            access_key: access_key.clone(),
            secret,
        }))
    }
}

fn web_address(text: &str) -> Result<String, Text> {
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"<>\"'`&?#".contains(&byte);
    match host {
        Some(host) if !host.is_empty() && host.bytes().all(is_plain) => {
            Ok(text.trim_end_matches('/').to_owned())
        }
        _ => Err(text!(
            "`{text}` is no address in the web; write it like \"https://files.example.com\"",
            text
        )),
    }
}
