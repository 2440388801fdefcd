//! Hotword lists and files by URL, for programs without `async`.

use std::time::Duration;

use serde_json::Value;
use ting_protocol::{VocabularyDetails, VocabularyEntry, VocabularyWord};

use crate::error::Error;
use crate::runtime::wait;
use crate::transcription::{TranscriptionBuilder, TranscriptionTask};
use crate::vocabulary::VocabularyServiceBuilder;

/// Manages hotword lists; see [`VocabularyService`](crate::VocabularyService), of which this is the blocking form. The errors are
/// the same.
#[derive(Clone, Debug)]
pub struct VocabularyService(crate::VocabularyService);

impl VocabularyService {
    /// Begins to build a service; [`VocabularyServiceBuilder::build_blocking`] ends it.
    pub fn builder() -> VocabularyServiceBuilder {
        crate::VocabularyService::builder()
    }

    pub(crate) fn new(service: crate::VocabularyService) -> Self {
        Self(service)
    }

    /// Makes a list and returns its id; see [`VocabularyService::create`](crate::VocabularyService::create).
    ///
    /// # Errors
    /// As there.
    pub fn create(
        &self,
        target_model: impl Into<String>,
        prefix: impl Into<String>,
        vocabulary: Vec<VocabularyWord>,
    ) -> Result<String, Error> {
        let service = self.0.clone();
        let (target_model, prefix) = (target_model.into(), prefix.into());
        wait(async move { service.create(target_model, prefix, vocabulary).await })
    }

    /// The lists; see [`VocabularyService::list`](crate::VocabularyService::list).
    ///
    /// # Errors
    /// As there.
    pub fn list(
        &self,
        prefix: Option<&str>,
        page_index: u32,
        page_size: u32,
    ) -> Result<Vec<VocabularyEntry>, Error> {
        let service = self.0.clone();
        let prefix = prefix.map(str::to_owned);
        wait(async move { service.list(prefix.as_deref(), page_index, page_size).await })
    }

    /// The words of a list.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn query(&self, vocabulary_id: &str) -> Result<VocabularyDetails, Error> {
        let (service, id) = (self.0.clone(), vocabulary_id.to_owned());
        wait(async move { service.query(&id).await })
    }

    /// Puts other words in place of all those of a list.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn update(
        &self,
        vocabulary_id: &str,
        vocabulary: Vec<VocabularyWord>,
    ) -> Result<(), Error> {
        let (service, id) = (self.0.clone(), vocabulary_id.to_owned());
        wait(async move { service.update(&id, vocabulary).await })
    }

    /// Deletes a list.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn delete(&self, vocabulary_id: &str) -> Result<(), Error> {
        let (service, id) = (self.0.clone(), vocabulary_id.to_owned());
        wait(async move { service.delete(&id).await })
    }

    /// Sends a request as it is given; see [`VocabularyService::request`](crate::VocabularyService::request).
    ///
    /// # Errors
    /// As there.
    pub fn request(&self, input: Value) -> Result<Value, Error> {
        let service = self.0.clone();
        wait(async move { service.request(input).await })
    }

    /// The server's id of the last request that it did. `None` before the first.
    pub fn last_request_id(&self) -> Option<String> {
        self.0.last_request_id()
    }
}

/// Has files recognised that a server can reach by URL; see [`Transcription`](crate::Transcription), of which this is the
/// blocking form. The errors are the same.
#[derive(Clone, Debug)]
pub struct Transcription(crate::Transcription);

impl Transcription {
    /// Begins to build a `Transcription`; [`TranscriptionBuilder::build_blocking`] ends it.
    pub fn builder() -> TranscriptionBuilder {
        crate::Transcription::builder()
    }

    pub(crate) fn new(transcription: crate::Transcription) -> Self {
        Self(transcription)
    }

    /// Starts a job; see [`Transcription::async_call`](crate::Transcription::async_call).
    ///
    /// # Errors
    /// As there.
    pub fn async_call<T: Into<String>>(
        &self,
        model: impl Into<String>,
        urls: impl IntoIterator<Item = T>,
        parameters: impl Into<Value>,
    ) -> Result<TranscriptionTask, Error> {
        let (transcription, model, parameters) = (self.0.clone(), model.into(), parameters.into());
        let urls: Vec<String> = urls.into_iter().map(Into::into).collect();
        wait(async move { transcription.async_call(model, urls, parameters).await })
    }

    /// How a job stands now.
    ///
    /// # Errors
    /// As [`Transcription::fetch`](crate::Transcription::fetch).
    pub fn fetch(&self, task_id: &str) -> Result<TranscriptionTask, Error> {
        let (transcription, task_id) = (self.0.clone(), task_id.to_owned());
        wait(async move { transcription.fetch(&task_id).await })
    }

    /// Waits until a job has ended.
    ///
    /// # Errors
    /// As [`Transcription::wait`](crate::Transcription::wait).
    pub fn wait(
        &self,
        task_id: &str,
        timeout: impl Into<Option<Duration>>,
    ) -> Result<TranscriptionTask, Error> {
        let (transcription, task_id) = (self.0.clone(), task_id.to_owned());
        let timeout = timeout.into();
        wait(async move { transcription.wait(&task_id, timeout).await })
    }

    /// Starts a job and waits for it.
    ///
    /// # Errors
    /// As [`async_call`](Self::async_call) and [`wait`](Self::wait).
    pub fn call<T: Into<String>>(
        &self,
        model: impl Into<String>,
        urls: impl IntoIterator<Item = T>,
        parameters: impl Into<Value>,
    ) -> Result<TranscriptionTask, Error> {
        let task = self.async_call(model, urls, parameters)?;
        self.wait(task.task_id(), None)
    }
}
