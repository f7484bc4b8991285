//! Programs: what the simulator knows to run. A model is a function over the process's own view of
//! the machine; what has no model says so and exits with 126.

use super::child::{Launch, Streams};
use super::processes::{Pid, Process};
use super::programs;
use super::walk::Last;
use super::world::{SharedWorld, World, lock};
use bytes::Bytes;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

/// What a program does: reads and writes through its [`Context`], returns its exit code. An error
/// of its streams ends it with code 1; a signal ends it whatever it returns.
pub type Model = Arc<dyn Fn(&mut Context) -> io::Result<i32> + Send + Sync>;

/// Says that a program has no model; gets its name.
pub type Refusal = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// Exit code of a program without a model: there, but not to be run.
const NOT_MODELLED: i32 = 126;

/// Bytes written at once: a pipe that is ready takes this much without waiting.
const STRETCH: usize = 4096;

/// Programs that are many under one file, chosen by the name they are called by.
const MULTICALL: [&str; 3] = ["busybox", "coreutils", "toybox"];

/// The models, by path or by name.
#[derive(Clone)]
pub struct Programs {
    models: BTreeMap<String, Model>,
    refusal: Refusal,
    second: Duration,
}

impl fmt::Debug for Programs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.models.keys()).finish()
    }
}

impl Programs {
    /// The small tools of [`programs`]; a simulated second takes `second`.
    pub fn standard(second: Duration) -> Programs {
        let refusal: Refusal = Arc::new(|name| format!("the simulator does not model this program: {name}"));
        let mut standard = Programs { models: BTreeMap::new(), refusal, second };
        for (name, model) in programs::ALL {
            standard.models.insert(name.to_owned(), Arc::new(model));
        }
        standard
    }

    /// Adds a program that writes `text` and exits with 0, such as `/hello`.
    #[must_use]
    pub fn with_text(self, program: &str, text: impl Into<Bytes>) -> Programs {
        let text = text.into();
        self.with(program, Arc::new(move |context: &mut Context| context.out(&text).map(|()| 0)))
    }

    /// Adds a model under a path (`/hello`) or a name (`ls`).
    #[must_use]
    pub fn with(mut self, program: &str, model: Model) -> Programs {
        self.models.insert(program.to_owned(), model);
        self
    }

    /// Replaces the sentence for programs without a model: the client's language decides.
    #[must_use]
    pub fn with_refusal(mut self, refusal: Refusal) -> Programs {
        self.refusal = refusal;
        self
    }

    /// Runs what a process has become.
    pub(super) fn run(&self, context: &mut Context) -> i32 {
        context.second = self.second;
        context.run(self).unwrap_or(1)
    }

    fn find(&self, launch: &Launch) -> Option<&Model> {
        let by_name = |path: &str| self.models.get(path.rsplit('/').next().unwrap_or(path));
        if MULTICALL.contains(&base(&launch.code)) {
            return by_name(launch.argv.first()?);
        }
        self.models
            .get(&launch.program)
            .or_else(|| by_name(&launch.program))
            .or_else(|| by_name(&launch.code))
    }
}

/// A running program's view of itself and of the machine.
pub struct Context {
    world: SharedWorld,
    pid: Pid,
    launch: Launch,
    streams: Streams,
    woken: OwnedFd,
    second: Duration,
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

impl Context {
    pub(super) fn new(
        world: SharedWorld,
        pid: Pid,
        launch: Launch,
        streams: Streams,
        woken: OwnedFd,
    ) -> Context {
        Context { world, pid, launch, streams, woken, second: Duration::ZERO }
    }

    fn run(&mut self, programs: &Programs) -> io::Result<i32> {
        // `busybox ls` is `ls`.
        let called = self.launch.argv.first().map(|name| base(name).to_owned());
        if called.is_some_and(|name| MULTICALL.contains(&name.as_str())) && self.launch.argv.len() > 1 {
            self.launch.argv.remove(0);
        }
        match programs.find(&self.launch).cloned() {
            Some(model) => match model(self) {
                Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                    self.refuse(programs, &error.to_string())
                }
                other => other,
            },
            None => self.refuse(programs, &self.launch.program.clone()),
        }
    }

    fn refuse(&mut self, programs: &Programs, what: &str) -> io::Result<i32> {
        self.err(format!("{}\n", (programs.refusal)(what)).as_bytes())?;
        Ok(NOT_MODELLED)
    }

    /// Runs a command line in this process's place, as a shell's `exec` would; `None` when there
    /// is no such program, an error when it has no model.
    pub(super) fn replace(&mut self, argv: Vec<String>) -> io::Result<Option<Model>> {
        let Some(name) = argv.first() else { return Ok(None) };
        let path = self.variable("PATH").unwrap_or_default().to_owned();
        let found = lock(&self.world).lookup_program(self.pid, name, &path);
        let Ok(crate::kernel::Outcome { value: crate::kernel::Value::Program(program), .. }) = found else {
            return Ok(None);
        };
        let code = lock(&self.world).exec(self.pid, &program, &argv, 0)?;
        self.launch = Launch { code, program, argv, env: std::mem::take(&mut self.launch.env) };
        let name = base(&self.launch.program);
        match programs::ALL.iter().find(|(known, _)| *known == name) {
            Some((_, model)) => Ok(Some(Arc::new(*model))),
            None => Err(io::Error::new(io::ErrorKind::Unsupported, self.launch.program.clone())),
        }
    }

    /// What a model says of something it does not do: the caller refuses it by this name.
    pub fn unsupported(&self, what: &str) -> io::Error {
        io::Error::new(io::ErrorKind::Unsupported, format!("{} {what}", self.name()))
    }

    /// The name it was called by, without directories.
    pub fn name(&self) -> &str {
        self.launch.argv.first().map_or("", |name| base(name))
    }

    /// Arguments after the name.
    pub fn arguments(&self) -> &[String] {
        self.launch.argv.get(1..).unwrap_or_default()
    }

    /// Environment, `NAME=value`.
    pub fn environment(&self) -> &[String] {
        &self.launch.env
    }

    /// The value of a variable.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.launch.env.iter().rev().find_map(|entry| entry.strip_prefix(name)?.strip_prefix('='))
    }

    /// Writes to standard output.
    ///
    /// # Errors
    /// EPIPE when nobody reads; EINTR when a signal wants the program to end.
    pub fn out(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write(&self.streams.stdout, bytes)
    }

    /// Writes to standard error.
    ///
    /// # Errors
    /// As [`Context::out`].
    pub fn err(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write(&self.streams.stderr, bytes)
    }

    fn write(&self, stream: &OwnedFd, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            self.wait(Some((stream, PollFlags::POLLOUT)), PollTimeout::NONE)?;
            match nix::unistd::write(stream, &rest[..rest.len().min(STRETCH)]) {
                Ok(written) => rest = &rest[written..],
                Err(Errno::EINTR | Errno::EAGAIN) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    /// The next bytes of standard input; empty at its end.
    ///
    /// # Errors
    /// As read(2); EINTR when a signal wants the program to end.
    pub fn input(&mut self) -> io::Result<Vec<u8>> {
        let mut buffer = vec![0; STRETCH];
        self.wait(Some((&self.streams.stdin, PollFlags::POLLIN)), PollTimeout::NONE)?;
        let length = nix::unistd::read(&self.streams.stdin, &mut buffer)?;
        buffer.truncate(length);
        Ok(buffer)
    }

    /// Lets simulated time pass; `None` waits for a signal.
    ///
    /// # Errors
    /// EINTR when a signal wants the program to end.
    pub fn sleep(&mut self, seconds: Option<f64>) -> io::Result<()> {
        let timeout = match seconds {
            None => PollTimeout::NONE,
            Some(seconds) => {
                let real = self.second.as_secs_f64() * seconds.max(0.0) * 1000.0;
                PollTimeout::try_from(real.min(f64::from(i32::MAX)) as i32).unwrap_or(PollTimeout::MAX)
            }
        };
        self.wait(None, timeout)
    }

    /// Waits for a stream, the end of the time or a signal.
    fn wait(&self, stream: Option<(&OwnedFd, PollFlags)>, timeout: PollTimeout) -> io::Result<()> {
        let mut fds = vec![PollFd::new(self.woken.as_fd(), PollFlags::POLLIN)];
        fds.extend(stream.map(|(fd, events)| PollFd::new(fd.as_fd(), events)));
        loop {
            match poll(&mut fds, timeout) {
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
                Ok(_) if fds[0].any() == Some(true) => return Err(Errno::EINTR.into()),
                Ok(_) => return Ok(()),
            }
        }
    }

    /// A file's bytes, as this process reads it.
    ///
    /// # Errors
    /// As open(2) and read(2).
    pub fn read(&self, path: &str) -> io::Result<Bytes> {
        Ok(lock(&self.world).read(self.pid, path)?)
    }

    /// A directory's names, sorted.
    ///
    /// # Errors
    /// As open(2) and getdents(2).
    pub fn list(&self, path: &str) -> io::Result<Vec<String>> {
        Ok(lock(&self.world).list(self.pid, path)?)
    }

    /// Whether the path is a directory.
    ///
    /// # Errors
    /// As stat(2).
    pub fn is_directory(&self, path: &str) -> io::Result<bool> {
        let world = lock(&self.world);
        let at = world.resolve(self.pid, path, Last::Follow)?;
        Ok(world.node(at)?.is_directory())
    }

    /// The working directory's path.
    ///
    /// # Errors
    /// ESRCH when the process has been ended meanwhile.
    pub fn directory(&self) -> io::Result<String> {
        self.ask(|world, process| world.path_below(process.root, process.cwd))
    }

    /// The host name of its UTS namespace.
    ///
    /// # Errors
    /// As [`Context::directory`].
    pub fn hostname(&self) -> io::Result<String> {
        self.ask(|world, process| {
            world.namespaces.hostname(process.namespaces[&crate::op::Namespace::Uts]).to_owned()
        })
    }

    /// User and group, as its user namespace counts; 65534 for whom that does not know.
    ///
    /// # Errors
    /// As [`Context::directory`].
    pub fn identity(&self) -> io::Result<(u32, u32)> {
        self.ask(|world, process| {
            let users = world.namespaces.users(process.user_namespace());
            let uid = super::namespaces::inside(&users.uids, process.uid).unwrap_or(65534);
            (uid, super::namespaces::inside(&users.gids, process.gid).unwrap_or(65534))
        })
    }

    fn ask<T>(&self, question: impl FnOnce(&World, &Process) -> T) -> io::Result<T> {
        let world = lock(&self.world);
        let process = world.processes.get(self.pid)?;
        Ok(question(&world, process))
    }
}
