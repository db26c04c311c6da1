//! What the engine's tests share: a formatter without any wit, sinks that wait or fail on demand,
//! and ways to wait for something without sleeping.
#![allow(dead_code, reason = "each test uses its part")]
#![allow(missing_docs, unreachable_pub, reason = "for tests only")]

use logboom::config::Config;
use logboom::engine::{Engine, Outcome};
use logboom::field::Value;
use logboom::format::{FormatCache, FormatError, Formatter, Needs};
use logboom::level::Level;
use logboom::record::{Message, MessageView, Record, RecordView, RouteId, Site, Style};
use logboom::route::RouteSpec;
use logboom::sink::{Frames, MemorySinkSpec, Sink, SinkSpec, Written};
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, mpsc};
use std::time::Duration;

/// Far beyond what anything here takes on the slowest machine.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// The message, and nothing else. `boom` panics, `refuse` is an error.
pub struct MessageFormatter;

impl Formatter for MessageFormatter {
    fn format(
        &self,
        record: &RecordView<'_>,
        _: &mut FormatCache,
        out: &mut Vec<u8>,
    ) -> Result<(), FormatError> {
        let (MessageView::Plain(text) | MessageView::Template(_, text, _)) = record.message else {
            unreachable!("lines bypass formatters")
        };
        out.extend_from_slice(text);
        if let MessageView::Template(_, _, values) = record.message {
            values.for_each(|value| out.extend_from_slice(format!(" {value:?}").as_bytes()));
        }
        assert_ne!(text, b"boom", "asked to panic");
        if text == b"refuse" { Err(FormatError("asked to refuse".into())) } else { Ok(()) }
    }

    fn needs(&self) -> Needs {
        Needs::default()
    }
}

/// The message behind a mark, so that a line tells its route. `refuse` is an error, with half of a
/// line made.
pub struct Marking(pub &'static str);

impl Formatter for Marking {
    fn format(
        &self,
        record: &RecordView<'_>,
        _: &mut FormatCache,
        out: &mut Vec<u8>,
    ) -> Result<(), FormatError> {
        let MessageView::Plain(text) = record.message else { unreachable!() };
        out.extend_from_slice(self.0.as_bytes());
        if text.starts_with(b"refuse") {
            return Err(FormatError("asked to refuse".into()));
        }
        assert!(!text.starts_with(b"boom"), "asked to panic");
        out.extend_from_slice(text);
        Ok(())
    }

    fn needs(&self) -> Needs {
        Needs::default()
    }
}

pub fn marked(mark: &'static str, sink: &Arc<dyn SinkSpec>) -> RouteSpec {
    RouteSpec::shared(mark, Arc::new(Marking(mark)), Arc::clone(sink))
}

/// Reports go here instead of to the standard error stream.
pub fn config() -> Config {
    Config::new().reporter(Arc::new(|_: &str| ()))
}

/// A memory sink that holds whatever a test writes.
pub fn memory() -> MemorySinkSpec {
    MemorySinkSpec::new(1 << 30)
}

pub fn spec(name: &str, sink: impl SinkSpec) -> RouteSpec {
    RouteSpec::new(name, MessageFormatter, sink)
}

/// A record that says `text`.
pub fn record<'a>(text: &'a str, level: Level, routes: &'a [RouteId]) -> Record<'a> {
    Record {
        time_ns: 0,
        level,
        thread: 1,
        logger: "test".into(),
        site: Site::None,
        message: Message::Plain(text.into()),
        fields: &[],
        attributes: &[],
        routes,
    }
}

pub fn say(engine: &Engine, text: &str, routes: &[RouteId]) -> Outcome {
    engine.submit(&record(text, Level::INFO, routes))
}

/// As [`say`], with a number as an argument.
pub fn say_number(engine: &Engine, text: &str, number: u64, routes: &[RouteId]) -> Outcome {
    let values = [Value::U64(number)];
    let message = Message::Template(Style::Percent, text.into(), &values);
    engine.submit(&Record { message, ..record("", Level::INFO, routes) })
}

/// Lets sinks through, or not.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<(Mutex<GateState>, Condvar)>);

#[derive(Debug, Default)]
struct GateState {
    closed: bool,
    waiting: usize,
}

impl Gate {
    pub fn closed() -> Gate {
        let gate = Gate::default();
        gate.close();
        gate
    }

    fn lock(&self) -> MutexGuard<'_, GateState> {
        self.0.0.lock().unwrap()
    }

    pub fn close(&self) {
        self.lock().closed = true;
    }

    pub fn open(&self) {
        self.lock().closed = false;
        self.0.1.notify_all();
    }

    /// Waits until a sink stands before the closed gate.
    pub fn wait_for_sink(&self) {
        let state = self.lock();
        let waited = self.0.1.wait_timeout_while(state, DEADLINE, |state| state.waiting == 0);
        assert!(!waited.unwrap().1.timed_out(), "no sink came to the gate");
    }

    pub fn pass(&self) {
        let mut state = self.lock();
        state.waiting += 1;
        self.0.1.notify_all();
        while state.closed {
            state = self.0.1.wait(state).unwrap();
        }
        state.waiting -= 1;
    }
}

/// A sink into memory behind a gate.
#[derive(Clone, Debug)]
pub struct GatedSpec {
    pub memory: MemorySinkSpec,
    pub gate: Gate,
}

impl GatedSpec {
    pub fn new(gate: Gate) -> Self {
        GatedSpec { memory: memory(), gate }
    }
}

impl SinkSpec for GatedSpec {
    fn open(&self) -> io::Result<Box<dyn Sink>> {
        let (memory, gate) = (self.memory.open()?, self.gate.clone());
        Ok(Box::new(ScriptedSink {
            memory,
            kept: None,
            script: Arc::new(move |_| {
                gate.pass();
                Answer::Take
            }),
            calls: Arc::default(),
        }))
    }

    fn describe(&self) -> String {
        "gated".into()
    }
}

/// What a scripted sink does at a call to `write`.
pub enum Answer {
    /// Takes everything.
    Take,
    /// Takes that many frames and refuses the others.
    Fail(usize),
    /// Takes that many frames, keeps the next one and refuses the others.
    Keep(usize),
    Panic,
}

/// Decides by the number of the call, from 0 on.
pub type Script = Arc<dyn Fn(u64) -> Answer + Send + Sync>;

/// A sink into memory that does at each call what a script says.
#[derive(Clone)]
pub struct ScriptedSpec {
    pub memory: MemorySinkSpec,
    script: Script,
    calls: Arc<Mutex<u64>>,
}

impl ScriptedSpec {
    pub fn new(script: impl Fn(u64) -> Answer + Send + Sync + 'static) -> Self {
        Self::over(memory(), script)
    }

    pub fn over(
        memory: MemorySinkSpec,
        script: impl Fn(u64) -> Answer + Send + Sync + 'static,
    ) -> Self {
        ScriptedSpec { memory, script: Arc::new(script), calls: Arc::default() }
    }
}

impl std::fmt::Debug for ScriptedSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ScriptedSpec")
    }
}

impl SinkSpec for ScriptedSpec {
    fn open(&self) -> io::Result<Box<dyn Sink>> {
        Ok(Box::new(ScriptedSink {
            memory: self.memory.open()?,
            kept: None,
            script: Arc::clone(&self.script),
            calls: Arc::clone(&self.calls),
        }))
    }

    fn describe(&self) -> String {
        "scripted".into()
    }
}

struct ScriptedSink {
    memory: Box<dyn Sink>,
    kept: Option<Vec<u8>>,
    script: Script,
    calls: Arc<Mutex<u64>>,
}

impl ScriptedSink {
    fn give_kept(&mut self) -> usize {
        let Some(kept) = self.kept.take() else { return 0 };
        self.memory.write(&Frames { bytes: &kept, ends: &[kept.len()] }).frames
    }
}

impl Sink for ScriptedSink {
    fn write(&mut self, batch: &Frames<'_>) -> Written {
        let call = {
            let mut calls = self.calls.lock().unwrap();
            *calls += 1;
            *calls - 1
        };
        let (take, keep) = match (self.script)(call) {
            Answer::Take => (batch.ends.len(), false),
            Answer::Fail(take) => (take.min(batch.ends.len()), false),
            Answer::Keep(take) => (take.min(batch.ends.len()), true),
            Answer::Panic => panic!("asked to panic"),
        };
        let before = self.give_kept();
        let end = |frames: usize| if frames == 0 { 0 } else { batch.ends[frames - 1] };
        let taken = Frames { bytes: &batch.bytes[..end(take)], ends: &batch.ends[..take] };
        let frames = before + self.memory.write(&taken).frames;
        let kept = keep && take < batch.ends.len();
        if kept {
            self.kept = Some(batch.bytes[end(take)..batch.ends[take]].to_vec());
        }
        let error = (take < batch.ends.len()).then(|| io::Error::other("asked to fail"));
        Written { frames, kept, error }
    }

    fn flush(&mut self) -> Written {
        Written { frames: self.give_kept(), ..Written::default() }
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs `body` in a thread and fails the test if it takes for ever.
pub fn within_deadline<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, is_done) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let _ = done.send(body());
    });
    match is_done.recv_timeout(DEADLINE) {
        Ok(value) => value,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("it hangs"),
        Err(mpsc::RecvTimeoutError::Disconnected) => match thread.join() {
            Err(panic) => std::panic::resume_unwind(panic),
            Ok(()) => unreachable!("it sends before it ends"),
        },
    }
}

/// Asks again and again until it is so; each time after a barrier that the writer answers.
pub fn wait_until(engine: &Engine, what: &str, is_so: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !is_so() {
        assert!(start.elapsed() < DEADLINE, "waited in vain until {what}");
        let _ = engine.stats();
        std::thread::yield_now();
    }
}
