//! Reads files through, for their SHA-256.

use std::fs::File;
use std::io::{Read as _, Write};
use std::path::Path;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

/// Copies a file and tells the SHA-256 of what was copied.
pub fn copy(path: &Path, to: &mut impl Write) -> anyhow::Result<[u8; 32]> {
    let failed = || format!("read {}", path.display());
    let mut file = File::open(path).with_context(failed)?;
    let mut digest = Sha256::new();
    let mut chunk = vec![0; 256 * 1_024];
    loop {
        let count = file.read(&mut chunk).with_context(failed)?;
        let Some(bytes) = chunk.get(..count).filter(|bytes| !bytes.is_empty()) else {
            return Ok(digest.finalize().into());
        };
        digest.update(bytes);
        to.write_all(bytes)
            .with_context(|| format!("copy {}", path.display()))?;
    }
}

/// The SHA-256 of a file.
pub fn of_file(path: &Path) -> anyhow::Result<[u8; 32]> {
    copy(path, &mut std::io::sink())
}
