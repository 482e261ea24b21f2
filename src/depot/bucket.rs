//! A bucket of a server that speaks S3: Amazon, Alibaba OSS, Tencent COS, `MinIO` and others. Nobody but us may read it;
//! links are signed (AWS Signature Version 4), and the server refuses them when they have expired.

use std::error::Error;
use std::io::Read as _;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::buffered::BufWriter;
use object_store::path::Path as Object;
use object_store::signer::Signer as _;
use object_store::{Attribute, Attributes, BackoffConfig, ObjectStoreExt as _, RetryConfig};
use reqwest::Method;
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt as _;

use super::{Access, cause, folder_name, use_ring};
use crate::campaign::BucketSettings;
use crate::mail::BigFile;
use crate::text;
use crate::words::Text;

/// Octets that are read at once.
const CHUNK: usize = 1024 * 1024;
/// A server that does not answer is given up after so many tries.
const RETRIES: usize = 3;

#[derive(Debug)]
pub(super) struct Bucket {
    store: Arc<AmazonS3>,
    prefix: String,
    name: String,
}

impl Bucket {
    pub(super) fn new(settings: &BucketSettings, root: &Path, access: Access) -> anyhow::Result<Self> {
        use_ring();
        let secret = match access {
            Access::Full => settings.secret(root)?.reveal().to_owned(),
            Access::None => "not asked for".to_owned(),
        };
        let retry = RetryConfig {
            backoff: BackoffConfig::default(),
            max_retries: RETRIES,
            retry_timeout: Duration::from_mins(1),
        };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&settings.bucket)
            .with_region(&settings.region)
            .with_access_key_id(&settings.access_key)
            .with_secret_access_key(secret)
            .with_virtual_hosted_style_request(settings.is_host_style)
            .with_retry(retry);
        if let Some(endpoint) = &settings.endpoint {
            let endpoint = if settings.is_host_style {
                endpoint.replacen("://", &format!("://{}.", settings.bucket), 1)
            } else {
                endpoint.clone()
            };
            builder = builder
                .with_allow_http(endpoint.starts_with("http://"))
                .with_endpoint(endpoint);
        }
        Ok(Self {
            store: Arc::new(builder.build().context("the bucket in [files]")?),
            prefix: settings.prefix.clone(),
            name: settings.bucket.clone(),
        })
    }

    pub(super) fn link(&self, file: &BigFile, lifetime: Duration) -> Result<String, Text> {
        let object = self.object(file);
        let signing = pin!(self.store.signed_url(Method::GET, &object, lifetime));
        // With a key at hand there is nothing to wait for.
        match signing.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(url)) => Ok(url.into()),
            Poll::Ready(Err(error)) => Err(unsigned(file, &why(&error))),
            Poll::Pending => Err(unsigned(file, &text!("no key at hand"))),
        }
    }

    /// Puts a file there, unless it is there already.
    pub(super) async fn put(&self, file: &BigFile) -> anyhow::Result<bool> {
        let object = self.object(file);
        let refused = |error: &(dyn Error + 'static)| {
            let (name, file, why) = (&self.name, &file.name, why(error));
            anyhow::anyhow!(text!(
                "bucket `{name}` does not take `{file}`: {why}",
                name,
                file,
                why
            ))
        };
        match self.store.head(&object).await {
            Ok(there) if there.size == file.size => return Ok(false),
            // Without the right to list a bucket, what is not there is forbidden.
            Ok(_)
            | Err(object_store::Error::NotFound { .. } | object_store::Error::PermissionDenied { .. }) => {}
            Err(error) => return Err(refused(&error)),
        }
        let kind = Attributes::from_iter([(Attribute::ContentType, file.kind())]);
        let mut writer = BufWriter::new(Arc::clone(&self.store) as _, object).with_attributes(kind);
        if let Err(error) = copy(file, &mut writer).await {
            // What was begun is not to be paid for.
            let _aborted = writer.abort().await;
            return Err(error.context(format!("bucket `{}` does not take `{}`", self.name, file.name)));
        }
        writer.shutdown().await.map_err(|error| refused(&error))?;
        Ok(true)
    }

    fn object(&self, file: &BigFile) -> Object {
        let folders = self.prefix.split('/').filter(|part| !part.is_empty());
        let own = [folder_name(&file.digest), file.name.clone()];
        folders.map(str::to_owned).chain(own).collect()
    }
}

/// Why a server does not take something, in words of ours where it is the key or the bucket. How the library says that
/// depends on what it was about to do.
fn why(error: &(dyn Error + 'static)) -> Text {
    let cause = cause(error);
    let says = |words: &[&str]| words.iter().any(|word| cause.contains(word));
    if says(&["NoSuchBucket", "404 Not Found"]) {
        text!("there is no such bucket: see `bucket`, `endpoint` and `region`")
    } else if says(&["401 Unauthorized", "403 Forbidden"]) {
        text!("it refuses the key: see `access_key` and the secret, and what the key may do")
    } else {
        Text::kept(cause)
    }
}

fn unsigned(file: &BigFile, why: &Text) -> Text {
    text!("cannot sign a link to `{file}`: {why}", file = file.name, why)
}

async fn copy(file: &BigFile, writer: &mut BufWriter) -> anyhow::Result<()> {
    let failed = || format!("read {}", file.path.display());
    let mut source = std::fs::File::open(&file.path).with_context(failed)?;
    let mut digest = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        let count = source.read(&mut chunk).with_context(failed)?;
        let Some(bytes) = chunk.get(..count).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        digest.update(bytes);
        writer
            .write_all(bytes)
            .await
            .map_err(|error| anyhow::anyhow!(why(&error)))?;
    }
    ensure!(
        <[u8; 32]>::from(digest.finalize()) == file.digest,
        text!(
            "{path} changed while it was read; try again",
            path = file.path.display()
        )
    );
    Ok(())
}
