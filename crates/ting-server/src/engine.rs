//! The product's recogniser: `ting_engine::Engine`.

use ting_engine::{
    Engine, EngineError, IneffectiveHotword, MAX_QUEUED_BYTES, Session, TaskOptions,
};

use crate::recogniser::{Recogniser, RecogniserSession, Sink};

impl Recogniser for Engine {
    fn open(
        &self,
        options: TaskOptions,
        sink: Sink,
    ) -> Result<Box<dyn RecogniserSession>, EngineError> {
        Ok(Box::new(Self::open(self, options, sink)?))
    }
}

impl RecogniserSession for Session {
    fn push(&self, bytes: Vec<u8>) {
        Self::push(self, bytes);
    }

    fn has_room(&self) -> bool {
        self.queued_bytes() <= MAX_QUEUED_BYTES
    }

    fn silence_ms(&self) -> Option<u64> {
        Self::silence_ms(self)
    }

    fn set_context(&self, texts: Vec<String>) {
        Self::set_context(self, texts);
    }

    fn ineffective_hotwords(&self) -> &[IneffectiveHotword] {
        Self::ineffective_hotwords(self)
    }

    fn finish(&self) {
        Self::finish(self);
    }
}
