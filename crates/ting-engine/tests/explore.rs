mod common;
use common::*;
use ting_engine::*;
fn spoken() -> Vec<(String, Vec<i16>)> {
    let mut tar = tar::Archive::new(std::fs::File::open("../../tests/data/spoken.tar").unwrap());
    let mut out = Vec::new();
    for e in tar.entries().unwrap() {
        let mut e = e.unwrap();
        let name = e.path().unwrap().display().to_string();
        let mut b = Vec::new();
        std::io::Read::read_to_end(&mut e, &mut b).unwrap();
        let mut s = ting_audio::AudioStream::new(Format::Opus, 16000).unwrap();
        let mut x = Vec::new();
        s.push(&b, &mut x).unwrap();
        s.finish(&mut x).unwrap();
        let x: Vec<i16> = x.iter().map(|x| (x * 32767.0) as i16).collect();
        let loud = |x: &i16| x.unsigned_abs() > 300;
        let (f, t) = (
            x.iter().position(loud).unwrap(),
            x.iter().rposition(loud).unwrap(),
        );
        out.push((name, x[f..=t].to_vec()));
    }
    out
}
#[test]
fn explore() {
    let model = model();
    let s = spoken();
    for (name, ids) in [
        ("zh", vec![0, 1, 2, 3, 4, 5]),
        ("en", vec![6, 7, 8, 9, 10, 11]),
        ("ja", vec![12, 13, 14]),
    ] {
        for gap in [100, 400] {
            let mut audio = silence(300);
            for i in &ids {
                println!("{name} at {} {}", audio.len() / 16, s[*i].0);
                audio.extend(&s[*i].1);
                audio.extend(silence(gap));
            }
            audio.extend(silence(400));
            for semantic in [false, true] {
                let o = TaskOptions {
                    semantic,
                    ..options()
                };
                let ev = run(&model, &o, &pcm(&audio), &[6400]);
                println!("== {name} gap {gap} semantic {semantic}");
                for e in &ev {
                    match e {
                        Event::Partial { sentence: s } if gap == 100 || true => println!(
                            "   p{} {}/{} {} {}",
                            s.id,
                            s.fixed,
                            s.words.len(),
                            s.end_ms,
                            s.text
                        ),
                        Event::Final {
                            sentence: s,
                            audio_ms,
                        } => println!(
                            "F{} {}-{} at {audio_ms} {}",
                            s.id, s.begin_ms, s.end_ms, s.text
                        ),
                        _ => {}
                    }
                }
            }
        }
    }
}
