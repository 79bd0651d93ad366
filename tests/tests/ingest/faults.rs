//! What else ingest must survive: members that come and go, a stopped one that comes back to a
//! commit of old, a full disk, topics that grow.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use turnwise_kafka::Admin;
use turnwise_tests::lake::{FolderWatch, LogWatch};
use turnwise_tests::place::{Place, SESSION, Wanted, wait_until};
use turnwise_tests::process::Process;
use turnwise_tests::wait::look_until;

use crate::{GRACE, assert_lake_holds, input, one_at_a_time, producing, terminate};

#[test]
fn storm_of_members_that_come_and_go_loses_and_repeats_nothing() {
    let _turn = one_at_a_time();
    let Some(place) = Place::new("storm", input(17, 12_000, 24), Wanted::default()) else { return };
    let mut steady = vec![place.ingest("steady")];
    let produced = producing(&place, || {
        let mut log = LogWatch::new(&place.events());
        let (begun, mut turns) = (Instant::now(), 0);
        // One joins, takes partitions on, and is told to leave; the next joins.
        while begun.elapsed() < place.input.within {
            let name = format!("guest-{turns}");
            let mut guest = [place.ingest(&name)];
            wait_until("assignment", &mut guest, || Ok(reads(&place, &name))).expect("joins");
            log.look().expect("log");
            let before = log.adding;
            wait_until("progress", &mut steady, || {
                log.look()?;
                Ok(log.adding > before)
            })
            .expect("goes on");
            terminate(&mut guest);
            turns += 1;
        }
        println!("{turns} members came and went, {} commits", log.adding);
        assert!(turns >= 2 && log.adding >= 10);
    });
    place.wait_for(produced, &mut steady).expect("everything is read");
    terminate(&mut steady);
    assert_lake_holds(&place, produced);
}

/// Whether a process has taken a partition on.
fn reads(place: &Place, name: &str) -> bool {
    said(place, name).contains(": reading")
}

/// All that a process has said.
fn said(place: &Place, name: &str) -> String {
    std::fs::read_to_string(place.path(&format!("{name}.log"))).unwrap_or_default()
}

/// Pause between two looks for a new data file: its log entry follows within milliseconds.
const CLOSE_PAUSE: Duration = Duration::from_millis(1);
/// How long it may take until a commit is caught.
const COMMITS_WITHIN: Duration = Duration::from_secs(90);

/// Stops a process between the data files of a commit and its log entry.
fn stop_within_a_commit(place: &Place, process: &mut Process) {
    let (mut folders, mut log) =
        (FolderWatch::new(&place.events()), LogWatch::new(&place.events()));
    folders.look().expect("files");
    let stopped = look_until(CLOSE_PAUSE, COMMITS_WITHIN, || {
        let new = folders.look()?;
        if new.is_empty() {
            return Ok(None);
        }
        process.signal("STOP")?;
        log.look()?;
        if new.iter().any(|file| !log.named.contains(file)) {
            return Ok(Some(()));
        }
        process.signal("CONT")?;
        Ok(None)
    });
    assert!(stopped.expect("signals").is_some(), "{}", process.last_lines());
}

#[test]
fn member_stopped_within_a_commit_for_three_sessions_does_not_commit_it_when_it_comes_back() {
    let _turn = one_at_a_time();
    let Some(place) = Place::new("zombie", input(19, 8_000, 30), Wanted::default()) else { return };
    let mut zombie = vec![place.ingest("zombie")];
    let produced = producing(&place, || {
        stop_within_a_commit(&place, &mut zombie[0]);
        let (stopped, mut log) = (Instant::now(), LogWatch::new(&place.events()));
        log.look().expect("log");
        let before = log.moves.clone();
        let mut heir = [place.ingest("heir")];
        // Every partition that the zombie's commit holds has moved on by another hand.
        wait_until("heir's commits", &mut heir, || {
            log.look()?;
            let moved = before.keys().all(|app| log.moves[app].len() > before[app].len());
            Ok(moved && stopped.elapsed() > 3 * SESSION)
        })
        .expect("the heir goes on");
        let files: BTreeSet<String> = log.named.clone();
        zombie[0].signal("CONT").expect("goes on");
        wait_until("fence", &mut zombie, || {
            let said = std::fs::read_to_string(place.path("zombie.log"))?;
            Ok(said.contains("commit refused"))
        })
        .expect("the zombie's commit is refused");
        log.look().expect("log");
        assert!(log.named.len() >= files.len());
        terminate(&mut heir);
    });
    place.wait_for(produced, &mut zombie).expect("everything is read");
    terminate(&mut zombie);
    assert_lake_holds(&place, produced);
}

/// A small file system of its own, taken down with its user.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Nothing where this process may not mount.
    fn new(at: &Path, mebibytes: u64) -> Option<Self> {
        std::fs::create_dir_all(at).expect("folder");
        let size = format!("size={mebibytes}m");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).output();
        let is_mounted = mounted.is_ok_and(|output| output.status.success());
        is_mounted.then(|| Self(at.to_owned()))
    }

    /// Fills what is left of it.
    fn fill(&self) -> PathBuf {
        let ballast = self.0.join("ballast");
        let mut file = std::fs::File::create(&ballast).expect("file");
        let block = vec![1_u8; 64 << 10];
        while std::io::Write::write_all(&mut file, &block).is_ok() {}
        ballast
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Whoever still holds a file of it keeps it; it is gone with the last of them.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn full_disk_is_waited_out_and_holds_up_no_end() {
    let _turn = one_at_a_time();
    let folder = tempfile::tempdir().expect("folder");
    let Some(disk) = SmallDisk::new(&folder.path().join("disk"), 256) else {
        println!("not run: this user may not mount a file system");
        return;
    };
    let lake = disk.0.join("lake");
    let wanted = Wanted { lake: Some(&lake), ..Wanted::default() };
    let Some(place) = Place::new("full", input(23, 8_000, 20), wanted) else { return };
    let mut process = vec![place.ingest("ingest-0")];
    let produced = producing(&place, || {
        let mut log = LogWatch::new(&place.events());
        let mut commits = |process: &mut [Process], more: u64| {
            log.look().expect("log");
            let before = log.adding;
            wait_until("commit", process, || {
                log.look()?;
                Ok(log.adding >= before + more)
            })
            .expect("commits");
        };
        let failures = || said(&place, "ingest-0").matches("not confirmed").count();
        let fails = |process: &mut [Process]| {
            let before = failures();
            wait_until("two failures", process, || Ok(failures() >= before + 2)).expect("fails");
        };
        commits(&mut process, 1);
        let ballast = disk.fill();
        fails(&mut process);
        std::fs::remove_file(&ballast).expect("removed");
        commits(&mut process, 2);
        // Told to end while nothing can be committed: the next reads it again.
        let ballast = disk.fill();
        fails(&mut process);
        let (status, took) = process[0].terminate(GRACE).expect("ends");
        assert!(status.success(), "{status} after {took:?}\n{}", process[0].last_lines());
        println!("ended on a full disk in {took:?}");
        std::fs::remove_file(&ballast).expect("removed");
        process[0] = place.ingest("ingest-1");
    });
    place.wait_for(produced, &mut process).expect("everything is read");
    terminate(&mut process);
    assert_whole(&place.events());
    assert_lake_holds(&place, produced);
}

/// No data file that can be seen is cut short, be it named in the log or not.
fn assert_whole(table: &Path) {
    let all = turnwise_tests::canary::files(table);
    let files: Vec<_> =
        all.iter().filter(|file| file.extension() == Some("parquet".as_ref())).collect();
    assert!(!files.is_empty());
    for file in files {
        let bytes = std::fs::read(file).expect("a file that was listed");
        assert!(bytes.ends_with(b"PAR1"), "{} is cut short", file.display());
    }
}

#[test]
fn partitions_that_a_topic_gets_are_read_from_their_first_record() {
    let _turn = one_at_a_time();
    let mut small = input(29, 4_000, 8);
    small.partitions = 4;
    // Only new records are wanted; what a new partition holds is new however late it is seen.
    let wanted = Wanted { kafka: "start = \"latest\"", ..Wanted::default() };
    let Some(mut place) = Place::new("grown", small, wanted) else { return };
    let mut process = vec![place.ingest("ingest-0")];
    wait_until("assignment", &mut process, || Ok(reads_all(&place, 8))).expect("joins");
    let admin = Admin::new(&place.brokers).expect("admin");
    for topic in &place.input.topics {
        admin.add_partitions(topic, 8).expect("more partitions");
    }
    place.input.partitions = 8;
    // Records lie in the new partitions before any member knows of them.
    let produced = producing(&place, || {});
    place.wait_for(produced, &mut process).expect("everything is read");
    terminate(&mut process);
    assert_lake_holds(&place, produced);
}

/// Whether so many partitions have been taken on.
fn reads_all(place: &Place, partitions: usize) -> bool {
    let log = std::fs::read_to_string(place.path("ingest-0.log")).unwrap_or_default();
    log.matches(": reading").count() >= partitions
}
