//! Web servers and their clients: one that speaks S3, in a thread of its own.

use std::path::Path;

use hyper_util::rt::{TokioExecutor, TokioIo};
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tokio::runtime::Runtime;
use tokio_util::task::TaskTracker;

/// A server that speaks S3, with the bucket `my-bucket` and one key. It ends when this is dropped.
pub(crate) struct S3 {
    pub(crate) endpoint: String,
    _runtime: Runtime,
}

impl S3 {
    pub(crate) const ACCESS_KEY: &str = "AKID";
    pub(crate) const SECRET: &str = "the secret";

    /// Starts a server that keeps its objects in this folder.
    pub(crate) fn start(folder: &Path) -> Self {
        std::fs::create_dir_all(folder.join("my-bucket")).unwrap();
        let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder).unwrap());
        service.set_auth(SimpleAuth::from_single(Self::ACCESS_KEY, Self::SECRET));
        let service = service.build();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let tasks = TaskTracker::new();
        let connections = tasks.clone();
        let accept = async move {
            while let Ok((stream, _)) = listener.accept().await {
                let service = service.clone();
                connections.spawn(async move {
                    let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    drop(server.serve_connection(TokioIo::new(stream), service).await);
                });
            }
        };
        tasks.spawn_on(accept, runtime.handle());
        Self {
            endpoint,
            _runtime: runtime,
        }
    }
}

/// What a web server answers: the status, and the body.
pub(crate) fn fetch(url: &str) -> (u16, Vec<u8>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    // Whoever came first has said so already.
    drop(tokio_rustls::rustls::crypto::ring::default_provider().install_default());
    runtime.block_on(async {
        let answer = reqwest::get(url).await.unwrap();
        (answer.status().as_u16(), answer.bytes().await.unwrap().to_vec())
    })
}
