//! Capitals of English words; the recogniser writes lower case.

use crate::Word;
use crate::script::{ends_sentence, is_letter};

/// Words with one way to be written, whatever stands around them: lower case, then as written.
const NAMES: &[(&str, &str)] = &[
    // Days and months. March and May are words too, and have a rule of their own.
    ("monday", "Monday"),
    ("tuesday", "Tuesday"),
    ("wednesday", "Wednesday"),
    ("thursday", "Thursday"),
    ("friday", "Friday"),
    ("saturday", "Saturday"),
    ("sunday", "Sunday"),
    ("january", "January"),
    ("february", "February"),
    ("april", "April"),
    ("june", "June"),
    ("july", "July"),
    ("august", "August"),
    ("september", "September"),
    ("october", "October"),
    ("november", "November"),
    ("december", "December"),
    ("christmas", "Christmas"),
    ("easter", "Easter"),
    // Languages and peoples. Polish is a verb too and left alone.
    ("african", "African"),
    ("american", "American"),
    ("arabic", "Arabic"),
    ("asian", "Asian"),
    ("australian", "Australian"),
    ("brazilian", "Brazilian"),
    ("british", "British"),
    ("canadian", "Canadian"),
    ("cantonese", "Cantonese"),
    ("chinese", "Chinese"),
    ("dutch", "Dutch"),
    ("egyptian", "Egyptian"),
    ("english", "English"),
    ("european", "European"),
    ("french", "French"),
    ("german", "German"),
    ("greek", "Greek"),
    ("hebrew", "Hebrew"),
    ("hindi", "Hindi"),
    ("indian", "Indian"),
    ("irish", "Irish"),
    ("italian", "Italian"),
    ("japanese", "Japanese"),
    ("korean", "Korean"),
    ("latin", "Latin"),
    ("mandarin", "Mandarin"),
    ("mexican", "Mexican"),
    ("portuguese", "Portuguese"),
    ("russian", "Russian"),
    ("scottish", "Scottish"),
    ("spanish", "Spanish"),
    ("swedish", "Swedish"),
    ("thai", "Thai"),
    ("turkish", "Turkish"),
    ("vietnamese", "Vietnamese"),
    // Countries, continents and some cities. Turkey is a bird too and left alone.
    ("africa", "Africa"),
    ("america", "America"),
    ("argentina", "Argentina"),
    ("asia", "Asia"),
    ("australia", "Australia"),
    ("austria", "Austria"),
    ("beijing", "Beijing"),
    ("belgium", "Belgium"),
    ("berlin", "Berlin"),
    ("boston", "Boston"),
    ("brazil", "Brazil"),
    ("britain", "Britain"),
    ("california", "California"),
    ("canada", "Canada"),
    ("chicago", "Chicago"),
    ("china", "China"),
    ("denmark", "Denmark"),
    ("egypt", "Egypt"),
    ("england", "England"),
    ("europe", "Europe"),
    ("finland", "Finland"),
    ("france", "France"),
    ("germany", "Germany"),
    ("greece", "Greece"),
    ("hangzhou", "Hangzhou"),
    ("india", "India"),
    ("indonesia", "Indonesia"),
    ("iran", "Iran"),
    ("iraq", "Iraq"),
    ("ireland", "Ireland"),
    ("israel", "Israel"),
    ("italy", "Italy"),
    ("japan", "Japan"),
    ("kenya", "Kenya"),
    ("korea", "Korea"),
    ("london", "London"),
    ("malaysia", "Malaysia"),
    ("mexico", "Mexico"),
    ("moscow", "Moscow"),
    ("netherlands", "Netherlands"),
    ("nigeria", "Nigeria"),
    ("norway", "Norway"),
    ("pakistan", "Pakistan"),
    ("paris", "Paris"),
    ("philippines", "Philippines"),
    ("poland", "Poland"),
    ("portugal", "Portugal"),
    ("rome", "Rome"),
    ("russia", "Russia"),
    ("scotland", "Scotland"),
    ("shanghai", "Shanghai"),
    ("shenzhen", "Shenzhen"),
    ("singapore", "Singapore"),
    ("spain", "Spain"),
    ("sweden", "Sweden"),
    ("switzerland", "Switzerland"),
    ("taiwan", "Taiwan"),
    ("thailand", "Thailand"),
    ("tokyo", "Tokyo"),
    ("ukraine", "Ukraine"),
    ("vietnam", "Vietnam"),
    ("wales", "Wales"),
    ("washington", "Washington"),
    // Abbreviations that are no words.
    ("ai", "AI"),
    ("api", "API"),
    ("atm", "ATM"),
    ("bbc", "BBC"),
    ("cbs", "CBS"),
    ("cd", "CD"),
    ("ceo", "CEO"),
    ("cfo", "CFO"),
    ("cia", "CIA"),
    ("cnn", "CNN"),
    ("cpu", "CPU"),
    ("css", "CSS"),
    ("cto", "CTO"),
    ("dj", "DJ"),
    ("dna", "DNA"),
    ("dvd", "DVD"),
    ("eu", "EU"),
    ("faq", "FAQ"),
    ("fbi", "FBI"),
    ("gdp", "GDP"),
    ("gpt", "GPT"),
    ("gps", "GPS"),
    ("gpu", "GPU"),
    ("hiv", "HIV"),
    ("hr", "HR"),
    ("html", "HTML"),
    ("http", "HTTP"),
    ("https", "HTTPS"),
    ("ibm", "IBM"),
    ("ip", "IP"),
    ("iq", "IQ"),
    ("json", "JSON"),
    ("kpi", "KPI"),
    ("mba", "MBA"),
    ("mit", "MIT"),
    ("nasa", "NASA"),
    ("nato", "NATO"),
    ("nba", "NBA"),
    ("ngo", "NGO"),
    ("nhs", "NHS"),
    ("ok", "OK"),
    ("pc", "PC"),
    ("pdf", "PDF"),
    ("phd", "PhD"),
    ("ppt", "PPT"),
    ("qr", "QR"),
    ("rna", "RNA"),
    ("sdk", "SDK"),
    ("sms", "SMS"),
    ("sql", "SQL"),
    ("ssd", "SSD"),
    ("suv", "SUV"),
    ("tv", "TV"),
    ("uk", "UK"),
    ("un", "UN"),
    ("url", "URL"),
    ("usa", "USA"),
    ("usb", "USB"),
    ("ux", "UX"),
    ("vip", "VIP"),
    ("vpn", "VPN"),
    ("vr", "VR"),
    ("xml", "XML"),
    // Names with a case of their own.
    ("chatgpt", "ChatGPT"),
    ("facebook", "Facebook"),
    ("github", "GitHub"),
    ("google", "Google"),
    ("instagram", "Instagram"),
    ("ipad", "iPad"),
    ("iphone", "iPhone"),
    ("javascript", "JavaScript"),
    ("linkedin", "LinkedIn"),
    ("linux", "Linux"),
    ("microsoft", "Microsoft"),
    ("openai", "OpenAI"),
    ("paypal", "PayPal"),
    ("tiktok", "TikTok"),
    ("wechat", "WeChat"),
    ("wifi", "Wi-Fi"),
    ("wikipedia", "Wikipedia"),
    ("youtube", "YouTube"),
];

/// Words before which `march` and `may` are months: `in may`, `last march`, `early may`.
const BEFORE_MONTHS: &[&str] = &[
    "in", "of", "since", "until", "till", "during", "last", "next", "early", "late", "mid", "by",
];

/// Gives capitals to sentence starts, the pronoun I, and the words of [`NAMES`]. Words that have a capital stay.
pub(crate) fn apply(words: &mut [Word]) {
    let mut begins_sentence = true;
    for i in 0..words.len() {
        let (before, rest) = words.split_at_mut(i);
        let Some((word, after)) = rest.split_first_mut() else {
            break;
        };
        if word.text.starts_with(is_letter) && !word.text.contains(char::is_uppercase) {
            let named = name(&word.text).or_else(|| {
                is_month(&word.text, before.last(), after.first()).then(|| first_upper(&word.text))
            });
            if let Some(name) = named {
                word.text = name;
            } else if begins_sentence || is_pronoun(&word.text) {
                word.text = first_upper(&word.text);
            }
        }
        begins_sentence = ends_sentence(&word.punctuation);
    }
}

/// How the name `word`, or its possessive or plural with an apostrophe, is written.
fn name(word: &str) -> Option<String> {
    let (stem, suffix) = match word.find('\'') {
        Some(at) => word.split_at(at),
        None => (word, ""),
    };
    NAMES
        .iter()
        .find(|(lower, _)| *lower == stem)
        .map(|(_, written)| format!("{written}{suffix}"))
}

/// The way a spelled-out abbreviation of [`NAMES`] is written: only those that are all capitals.
pub(crate) fn abbreviation(letters: &str) -> Option<&'static str> {
    NAMES
        .iter()
        .find(|(lower, written)| *lower == letters && written.chars().all(char::is_uppercase))
        .map(|(_, written)| *written)
}

fn is_pronoun(word: &str) -> bool {
    word == "i" || word.starts_with("i'")
}

/// Whether `may` or `march` is the month between these words: a day or year after it, or a word of time before it.
fn is_month(word: &str, before: Option<&Word>, after: Option<&Word>) -> bool {
    if word != "may" && word != "march" {
        return false;
    }
    let number_after =
        after.is_some_and(|after| after.text.starts_with(|c: char| c.is_ascii_digit()));
    let time_before = before.is_some_and(|before| {
        before.punctuation.is_empty()
            && BEFORE_MONTHS.contains(&before.text.to_lowercase().as_str())
    });
    // "they march 10 miles" has a number after it as well, which is neither a day nor a year.
    time_before || (number_after && (word == "may" || is_day_or_year(after)))
}

/// `3rd`, `15` with a year or an end after it, `2025`.
fn is_day_or_year(word: Option<&Word>) -> bool {
    word.is_some_and(|word| {
        let digits = word.text.trim_end_matches(char::is_alphabetic);
        let is_ordinal = digits.len() < word.text.len();
        let closed = !word.punctuation.is_empty();
        digits.parse::<u32>().is_ok_and(|n| {
            (is_ordinal || closed) && (1..=31).contains(&n) || (1300..2100).contains(&n)
        })
    })
}

fn first_upper(word: &str) -> String {
    let mut chars = word.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}
