//! The programs that the tooling calls: whether they are there, and how to get them.

use std::error::Error;
use std::fmt;
use std::process::{Command, Stdio};

/// Oldest Java that runs the broker.
pub const JAVA_VERSION_MIN: u32 = 17;

/// A program that the tooling needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// The C compiler, for librdkafka and zstd.
    Cc,
    /// make, for librdkafka.
    Make,
    /// A Java runtime, for the broker.
    Java,
    /// Maven, which brings the broker.
    Maven,
    /// Python 3 with venv, for the other Delta readers.
    Python,
}

impl Tool {
    fn command(self) -> (&'static str, &'static str) {
        match self {
            Self::Cc => ("cc", "--version"),
            Self::Make => ("make", "--version"),
            Self::Java => ("java", "-version"),
            Self::Maven => ("mvn", "-version"),
            Self::Python => ("python3", "--version"),
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            Self::Cc => {
                "a C compiler `cc`: Debian `apt-get install gcc`, macOS `xcode-select --install`"
            }
            Self::Make => "`make`: Debian `apt-get install make`, macOS `xcode-select --install`",
            Self::Java => {
                "`java` 17 or later: Debian `apt-get install openjdk-17-jdk-headless`, macOS `brew install openjdk`"
            }
            Self::Maven => "`mvn`: Debian `apt-get install maven`, macOS `brew install maven`",
            Self::Python => {
                "`python3` with venv: Debian `apt-get install python3-venv`, macOS `brew install python`"
            }
        }
    }

    fn found(self) -> bool {
        let (program, argument) = self.command();
        let output = Command::new(program).arg(argument).stdin(Stdio::null()).output();
        let Ok(output) = output else { return false };
        if !output.status.success() {
            return false;
        }
        if self != Self::Java {
            return true;
        }
        // Java prints its version on standard error.
        let text = String::from_utf8_lossy(&output.stderr);
        java_version(&text).is_some_and(|major| major >= JAVA_VERSION_MIN)
    }
}

/// Programs that are not here, or too old.
#[derive(Debug)]
pub struct Missing(Vec<Tool>);

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "missing on this machine:")?;
        for tool in &self.0 {
            write!(f, "\n  {}", tool.remedy())?;
        }
        Ok(())
    }
}

impl Error for Missing {}

/// Checks that every tool is here.
///
/// # Errors
/// [`Missing`] names each one that is not, with how to get it.
pub fn require(tools: &[Tool]) -> Result<(), Missing> {
    let missing: Vec<Tool> = tools.iter().copied().filter(|tool| !tool.found()).collect();
    if missing.is_empty() { Ok(()) } else { Err(Missing(missing)) }
}

/// The major version in what `java -version` prints: `"17.0.15"` is 17, `"1.8.0_292"` is 8.
fn java_version(text: &str) -> Option<u32> {
    let quoted = text.split('"').nth(1)?;
    let mut parts = quoted.split(|c: char| !c.is_ascii_digit());
    let first: u32 = parts.next()?.parse().ok()?;
    if first == 1 { parts.next()?.parse().ok() } else { Some(first) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn major_version_of_java_is_read_from_old_and_new_forms() {
        assert_eq!(java_version("openjdk version \"17.0.15\" 2025-04-15"), Some(17));
        assert_eq!(java_version("java version \"1.8.0_292\""), Some(8));
        assert_eq!(java_version("openjdk version \"25-ea\" 2025-09-16"), Some(25));
        assert_eq!(java_version("no version"), None);
    }

    #[test]
    fn every_missing_tool_is_named_with_how_to_get_it() {
        let text = Missing(vec![Tool::Java, Tool::Make]).to_string();
        assert!(text.contains("openjdk") && text.contains("apt-get install make"));
    }
}
