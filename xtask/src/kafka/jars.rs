//! The broker's jars, from the Java package registry by Maven.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::cache;
use crate::tools::{Tool, require};

/// The release of Apache Kafka that tests run against.
pub const VERSION: &str = "4.4.0";
/// The log binding that fits the slf4j interface which this release asks for.
const SLF4J_VERSION: &str = "1.7.36";
/// Tries at the download.
const DOWNLOAD_ATTEMPTS_MAX: u32 = 3;

/// The folder of the broker's jars: `TURNWISE_KAFKA_HOME`, else the cache, filled on first use.
///
/// # Errors
/// When Java or Maven is missing, or the jars cannot be had.
pub fn home() -> Result<PathBuf> {
    require(&[Tool::Java])?;
    if let Some(path) = std::env::var_os("TURNWISE_KAFKA_HOME").filter(|path| !path.is_empty()) {
        return Ok(PathBuf::from(path));
    }
    cache::entry(&cache::folder()?.join("kafka"), VERSION, |path| {
        require(&[Tool::Maven])?;
        download(path).context("bring Apache Kafka by Maven")
    })
}

fn download(jars: &Path) -> Result<()> {
    let project = tempfile::Builder::new().prefix("turnwise-maven-").tempdir()?;
    fs::write(project.path().join("pom.xml"), pom()).context("write pom.xml")?;
    for attempt in 1..=DOWNLOAD_ATTEMPTS_MAX {
        let output = Command::new("mvn")
            .args(["-B", "-q", "dependency:copy-dependencies", "-DincludeScope=runtime"])
            .arg(format!("-DoutputDirectory={}", jars.display()))
            .current_dir(project.path())
            .stdin(Stdio::null())
            .output()
            .context("run mvn")?;
        if output.status.success() {
            break;
        }
        if attempt == DOWNLOAD_ATTEMPTS_MAX {
            bail!("{}", String::from_utf8_lossy(&output.stdout).trim());
        }
    }
    if !jars.join(format!("kafka_2.13-{VERSION}.jar")).exists() {
        bail!("Maven brought no kafka_2.13-{VERSION}.jar");
    }
    Ok(())
}

fn pom() -> String {
    let dependency = |group: &str, artifact: &str, version: &str| {
        format!(
            "<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>\
             <version>{version}</version></dependency>"
        )
    };
    format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><modelVersion>4.0.0</modelVersion>\
         <groupId>turnwise</groupId><artifactId>kafka</artifactId><version>1</version>\
         <packaging>pom</packaging><dependencies>{}{}</dependencies></project>\n",
        dependency("org.apache.kafka", "kafka_2.13", VERSION),
        dependency("org.slf4j", "slf4j-simple", SLF4J_VERSION),
    )
}
