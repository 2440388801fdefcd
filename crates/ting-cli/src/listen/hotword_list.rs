//! The hotwords of a file as a list that the recogniser knows, for as long as it is listened to.

use ting_client::{VocabularyService, VocabularyWord};
use ting_engine::{Hotword, Language};

use super::server::{MODEL, Server};
use crate::error::{CliError, CliErrorKind};

/// What the names of these lists begin with.
const PREFIX: &str = "listen";

/// A list that is there until [`delete`](Self::delete).
pub(crate) struct HotwordList {
    service: VocabularyService,
    pub(crate) id: String,
}

impl HotwordList {
    /// Makes a list of `words` where `server` recognises.
    ///
    /// # Errors
    /// `Input` when a word is not as it should be or the server takes no list.
    pub(crate) async fn create(server: &Server, words: Vec<Hotword>) -> Result<Self, CliError> {
        let failed = |error: ting_client::Error| {
            CliError::new(CliErrorKind::Input, format!("--hotwords: {error}"))
        };
        let mut service = VocabularyService::builder().endpoint(server.http_endpoint());
        if let Some(key) = server.key() {
            service = service.api_key(key);
        }
        let service = service.build().map_err(failed)?;
        let words = words.into_iter().map(on_the_wire).collect();
        let id = service.create(MODEL, PREFIX, words).await.map_err(failed)?;
        Ok(Self { service, id })
    }

    /// Takes the list away again: an account may have only a few.
    pub(crate) async fn delete(self) {
        if let Err(error) = self.service.delete(&self.id).await {
            tracing::warn!(id = self.id, %error, "the hotword list stays on the server");
        }
    }
}

fn on_the_wire(word: Hotword) -> VocabularyWord {
    let code = |language| match language {
        Language::Chinese => "zh",
        Language::English => "en",
        Language::Japanese => "ja",
    };
    VocabularyWord {
        lang: word.language.map(|language| code(language).to_owned()),
        text: word.text,
        weight: word.weight,
    }
}
