//! Time of a call of the punctuation network of the embedded model, by the number of words:
//!
//!     cargo run --release -p ting-models --example punctuation_speed

use std::time::{Duration, Instant};

use ting_models::Model;

/// How long each length is measured.
const TIME: Duration = Duration::from_millis(300);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let model = Model::embedded()?;
    let Some(punctuator) = &model.punctuator else {
        return Err("models/tiny has no punctuation network".into());
    };
    let sentence = "今 天 的 天 气 非 常 好 we went to the station and he said";
    let words: Vec<&str> = sentence.split(' ').cycle().take(200).collect();
    for count in [1, 5, 10, 20, 50, 100, 200] {
        // The fastest of many calls: others work on the machine too.
        let (began, mut fastest) = (Instant::now(), Duration::MAX);
        while began.elapsed() < TIME {
            let call = Instant::now();
            let marks = punctuator.log_probs(&words[..count], true);
            fastest = fastest.min(call.elapsed());
            assert_eq!(marks.len(), count * punctuator.config().classes.len());
        }
        println!("{count:4} words: {:7.1} µs", fastest.as_secs_f64() * 1e6);
    }
    Ok(())
}
