//! Child processes that read bytes from strangers. A child has no environment, cannot gain privileges, and has
//! limited resources.
//!
//! [`Process`] is a running child with its pipes. [`Restarts`] computes how long to wait before the next one.
//!
//! The child cannot be limited between `fork` and `exec` without `unsafe`, so two safe ways are used.
//! `no_new_privs` belongs to a thread and is inherited, so a separate thread sets it and starts the child.
//! Resource limits are set by `prlimit` right after the start. The child has read nothing before that,
//! because its input is a pipe that is written to only after `start` has returned.

mod process;
mod restart;

use std::env;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::thread;

use rustix::process::{Pid, Resource, Rlimit, getpriority_process, prlimit, setpriority_process};
use tokio::process::{Child, Command};
use tokio::runtime::Handle;

pub use self::process::{Process, Progress};
pub use self::restart::Restarts;

/// Priority of a child, relative to that of this process: lower than that of the network threads.
const NICE: i32 = 5;

/// Resource limits of a child. Every child may write to its pipes but to no file, and leaves no core dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Maximum address space in bytes; `None` is no limit.
    pub address_space: Option<u64>,
    /// Maximum CPU time in seconds.
    pub cpu_seconds: u64,
    /// Maximum number of open files.
    pub open_files: u64,
}

impl Limits {
    /// Limits for a program that decodes or encodes video on the CPU.
    ///
    /// The largest video needs 0.7 GB of address space with Debian's ffmpeg; half of that is libraries. The CPU
    /// time is two busy threads for half a day. The open files are the three pipes, and libraries while they are
    /// loaded.
    pub const CODEC: Self = Self { address_space: Some(3 << 29), cpu_seconds: 24 * 3600, open_files: 32 };

    fn all(&self) -> [(Resource, Option<u64>); 5] {
        [
            (Resource::As, self.address_space),
            (Resource::Cpu, Some(self.cpu_seconds)),
            (Resource::Nofile, Some(self.open_files)),
            (Resource::Fsize, Some(0)),
            (Resource::Core, Some(0)),
        ]
    }
}

/// Returns the path of `program` in PATH.
///
/// # Errors
/// [`io::ErrorKind::NotFound`] when no folder of PATH has an executable file of this name.
pub fn find(program: &str) -> io::Result<PathBuf> {
    let executable = |path: &PathBuf| {
        fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    let folders = env::var_os("PATH").unwrap_or_default();
    // Relative folders are skipped: they depend on the current folder.
    let mut paths =
        env::split_paths(&folders).filter(|path| path.is_absolute()).map(|path| path.join(program));
    paths.find(executable).ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// Starts `program` from PATH, with pipes for its input and both outputs. Dropping the child kills it.
///
/// # Errors
/// The program is not found, cannot be started, or cannot be limited.
pub fn start(program: &str, args: Vec<String>, limits: Limits) -> io::Result<Child> {
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
    for (resource, most) in limits.all() {
        prlimit(Some(pid), resource, Rlimit { current: most, maximum: most })?;
    }
    // The child begins with the priority of this process, which an operator may have raised. If a change is not
    // permitted, the child keeps it.
    if let Ok(own) = getpriority_process(None) {
        let _ = setpriority_process(Some(pid), own + NICE);
    }
    Ok(child)
}

/// Starts the command on a thread that cannot gain privileges. The child inherits this.
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

    /// Returns the words after `name` in the line of a /proc table that begins with it.
    fn words(table: &str, name: &str) -> Vec<String> {
        let line = table.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("no {name} in {table}")).split_whitespace().map(str::to_owned).collect()
    }

    #[tokio::test]
    async fn a_child_has_no_environment_no_rights_to_gain_and_limits() {
        let mut child = start("cat", Vec::new(), Limits::CODEC).unwrap();
        let read = |name: &str| fs::read_to_string(format!("/proc/{}/{name}", child.id().unwrap())).unwrap();
        assert_eq!(read("environ"), "");
        assert_eq!(words(&read("status"), "NoNewPrivs:"), ["1"]);
        let limits = read("limits");
        for (name, most) in [
            ("Max address space", 3 << 29),
            ("Max cpu time", 24 * 3600),
            ("Max open files", 32),
            ("Max file size", 0),
            ("Max core file size", 0),
        ] {
            assert_eq!(words(&limits, name)[..2], [most.to_string(), most.to_string()], "{name}");
        }
        let folder = fs::read_link(format!("/proc/{}/cwd", child.id().unwrap())).unwrap();
        assert_eq!(folder, PathBuf::from("/"));
        // The child can still read and write pipes.
        let mut input = child.stdin.take().unwrap();
        input.write_all(b"lianmai").await.unwrap();
        drop(input);
        assert_eq!(child.wait_with_output().await.unwrap().stdout, b"lianmai");
        // The restriction does not apply to the threads of this process.
        assert!(!rustix::thread::no_new_privs().unwrap());
    }

    #[tokio::test]
    async fn a_child_writes_no_file_and_takes_no_more_memory_than_it_may() {
        let path = env::temp_dir().join(format!("lianmai-child-{}", std::process::id()));
        // The shell first waits for input, and the limits are set before that.
        let script = format!("read line; echo $line > {}; echo written: $?", path.display());
        for (script, refused) in [
            (script.as_str(), true),
            ("read line; dd if=/dev/zero of=/dev/null bs=4G count=1 2>&1; echo $?", true),
            ("read line; dd if=/dev/zero of=/dev/null bs=1M count=1 2>/dev/null; echo $?", false),
        ] {
            let mut child = start("sh", vec!["-c".to_owned(), script.to_owned()], Limits::CODEC).unwrap();
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
        let error = start("no-such-program", Vec::new(), Limits::CODEC).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        // The current folder is not searched.
        assert!(find("Cargo.toml").is_err());
    }
}
