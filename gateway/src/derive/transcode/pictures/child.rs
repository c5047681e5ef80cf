//! A child process that reads what strangers send: it has no environment, no rights to gain and few resources.
//!
//! The child cannot be limited between `fork` and `exec` without `unsafe`, so two safe ways are used.
//! `no_new_privs` belongs to a thread and is inherited: a thread of its own sets it and starts the child. Resource
//! limits are set from outside by `prlimit` right after the start; until then the child has read nothing, because
//! its input is a pipe that is written to only after [`start`] has returned.

use std::env;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::thread;

use rustix::process::{Pid, Resource, Rlimit, prlimit, setpriority_process};
use tokio::process::{Child, Command};
use tokio::runtime::Handle;

/// Network threads come first.
const NICE: i32 = 5;
/// Address space: 0.7 GB are enough for the largest video with Debian's ffmpeg, whose libraries are half of that.
const MAX_ADDRESS_SPACE: u64 = 3 << 29;
/// CPU time in seconds: two threads that are busy for as long as one child runs.
const MAX_CPU_SECONDS: u64 = 24 * 3600;
/// Open files: the three pipes, and libraries while they are loaded.
const MAX_OPEN_FILES: u64 = 32;

/// What a child may use. A file size of 0 lets it write to its pipes and to no file.
const LIMITS: [(Resource, u64); 5] = [
    (Resource::As, MAX_ADDRESS_SPACE),
    (Resource::Cpu, MAX_CPU_SECONDS),
    (Resource::Nofile, MAX_OPEN_FILES),
    (Resource::Fsize, 0),
    (Resource::Core, 0),
];

/// The path of `program` in PATH.
///
/// # Errors
/// [`io::ErrorKind::NotFound`] when no folder of PATH has an executable file of this name.
fn find(program: &str) -> io::Result<PathBuf> {
    let executable = |path: &PathBuf| {
        fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    let folders = env::var_os("PATH").unwrap_or_default();
    // A relative folder would mean another program after a change of the current one.
    let mut paths =
        env::split_paths(&folders).filter(|path| path.is_absolute()).map(|path| path.join(program));
    paths.find(executable).ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// Starts `program`, found in PATH, with pipes for its input and both outputs. It is killed when it is dropped.
///
/// # Errors
/// When it is not found, cannot be started, or cannot be limited.
pub(super) fn start(program: &str, args: Vec<String>) -> io::Result<Child> {
    let mut command = Command::new(find(program)?);
    command
        .args(args)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let child = without_new_privileges(command)?;
    let pid = child.id().and_then(|id| Pid::from_raw(id.cast_signed())).ok_or(io::ErrorKind::BrokenPipe)?;
    for (resource, most) in LIMITS {
        prlimit(Some(pid), resource, Rlimit { current: Some(most), maximum: Some(most) })?;
    }
    // Where this is not allowed the child runs at the usual priority.
    let _ = setpriority_process(Some(pid), NICE);
    Ok(child)
}

/// Starts the command on a thread that can gain no privileges, and so neither can the child.
fn without_new_privileges(mut command: Command) -> io::Result<Child> {
    let runtime = Handle::current();
    let spawn = move || {
        let _inside = runtime.enter();
        rustix::thread::set_no_new_privs(true)?;
        command.spawn()
    };
    let thread = thread::Builder::new().name("spawn".to_owned()).spawn(spawn)?;
    thread.join().unwrap_or_else(|_| Err(io::Error::other("the thread that starts it failed")))
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    /// The line of a table in /proc that begins with `name`, its words after that.
    fn words(table: &str, name: &str) -> Vec<String> {
        let line = table.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("no {name} in {table}")).split_whitespace().map(str::to_owned).collect()
    }

    #[tokio::test]
    async fn a_child_has_no_environment_no_rights_to_gain_and_limits() {
        let mut child = start("cat", Vec::new()).unwrap();
        let read = |name: &str| fs::read_to_string(format!("/proc/{}/{name}", child.id().unwrap())).unwrap();
        assert_eq!(read("environ"), "");
        assert_eq!(words(&read("status"), "NoNewPrivs:"), ["1"]);
        let limits = read("limits");
        for (name, most) in [
            ("Max address space", MAX_ADDRESS_SPACE),
            ("Max cpu time", MAX_CPU_SECONDS),
            ("Max open files", MAX_OPEN_FILES),
            ("Max file size", 0),
            ("Max core file size", 0),
        ] {
            assert_eq!(words(&limits, name)[..2], [most.to_string(), most.to_string()], "{name}");
        }
        let folder = fs::read_link(format!("/proc/{}/cwd", child.id().unwrap())).unwrap();
        assert_eq!(folder, PathBuf::from("/"));
        // It reads and writes pipes all the same.
        let mut input = child.stdin.take().unwrap();
        input.write_all(b"lianmai").await.unwrap();
        drop(input);
        assert_eq!(child.wait_with_output().await.unwrap().stdout, b"lianmai");
        // The threads of this process may still gain what they could before.
        assert!(!rustix::thread::no_new_privs().unwrap());
    }

    #[tokio::test]
    async fn a_child_writes_no_file_and_takes_no_more_memory_than_it_may() {
        let path = env::temp_dir().join(format!("lianmai-child-{}", std::process::id()));
        // (The shell waits for its input before it does anything: by then it is limited.)
        let script = format!("read line; echo $line > {}; echo written: $?", path.display());
        for (script, refused) in [
            (script.as_str(), true),
            ("read line; dd if=/dev/zero of=/dev/null bs=4G count=1 2>&1; echo $?", true),
            ("read line; dd if=/dev/zero of=/dev/null bs=1M count=1 2>/dev/null; echo $?", false),
        ] {
            let mut child = start("sh", vec!["-c".to_owned(), script.to_owned()]).unwrap();
            child.stdin.take().unwrap().write_all(b"text\n").await.unwrap();
            let output = child.wait_with_output().await.unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            assert_eq!(said.trim_end().ends_with('0'), !refused, "{script}: {said}");
        }
        assert!(fs::read(&path).map_or(true, |bytes| bytes.is_empty()), "nothing was written");
        let _ = fs::remove_file(&path);
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_not_found() {
        let error = start("no-such-program", Vec::new()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        // What is in the current folder is not meant.
        assert!(find("Cargo.toml").is_err());
    }
}
