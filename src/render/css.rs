//! The little of CSS that is read to tell what a mail shows.

/// Letters smaller than this many pixels are not there to be read.
const READABLE_MIN: f32 = 3.0;
/// What stands so many pixels outside is outside of any screen.
const FAR_MIN: f32 = 900.0;
const COLOURS: [(&str, u32); 8] = [
    ("white", 0x00ff_ffff),
    ("black", 0),
    ("gray", 0x0080_8080),
    ("grey", 0x0080_8080),
    ("silver", 0x00c0_c0c0),
    ("red", 0x00ff_0000),
    ("blue", 0x0000_00ff),
    ("navy", 0x0000_0080),
];

/// The rules of a `style` attribute: names and values in lower case, without `!important`.
pub(super) fn rules(style: &str) -> Vec<(String, String)> {
    let lower = style.to_ascii_lowercase();
    let rules = lower.split(';').filter_map(|rule| rule.split_once(':'));
    let value = |value: &str| {
        let value = value.trim();
        value
            .strip_suffix("!important")
            .unwrap_or(value)
            .trim()
            .to_owned()
    };
    rules
        .map(|(name, said)| (name.trim().to_owned(), value(said)))
        .collect()
}

/// The rule that hides an element and all in it, if there is one.
pub(super) fn hiding(rules: &[(String, String)]) -> Option<String> {
    let is_cut = rules
        .iter()
        .any(|(name, value)| name == "overflow" && value == "hidden");
    let hides = |(name, value): &&(String, String)| match name.as_str() {
        "display" => value == "none",
        "visibility" => matches!(value.as_str(), "hidden" | "collapse"),
        "opacity" => number(value) == Some(0.0),
        "height" | "max-height" | "width" | "max-width" => is_cut && number(value) == Some(0.0),
        "color" => value == "transparent",
        "left" | "right" | "top" | "text-indent" | "margin-left" | "margin-top" => is_far_away(value),
        "transform" => value.starts_with("scale(0)"),
        _ => false,
    };
    rules
        .iter()
        .find(hides)
        .map(|(name, value)| format!("`{name}:{value}`"))
}

/// Is this so far to the left or above that nobody sees what stands there?
fn is_far_away(value: &str) -> bool {
    let pixels = value.strip_prefix('-').filter(|size| size.ends_with("px"));
    pixels.and_then(number).is_some_and(|pixels| pixels >= FAR_MIN)
}

/// The number that a value begins with.
pub(super) fn number(value: &str) -> Option<f32> {
    let end = value
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(value.len());
    value.get(..end)?.parse().ok()
}

/// Are the letters of this `font-size` or `font` too small to be read? None, when it does not say.
pub(super) fn is_tiny(value: &str) -> Option<bool> {
    let sizes = value
        .split_whitespace()
        .map(|word| word.split('/').next().unwrap_or(word));
    let is_size = |word: &&str| {
        let unit = word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        unit.len() < word.len() && (matches!(unit, "px" | "pt" | "em" | "rem" | "%") || *word == "0")
    };
    let size = sizes.into_iter().find(is_size)?;
    let is_absolute = size.ends_with("px") || size.ends_with("pt");
    let number = number(size)?;
    Some(if is_absolute {
        number < READABLE_MIN
    } else {
        number == 0.0
    })
}

/// A colour as `#rrggbb` says it; none, when it cannot be told.
pub(super) fn colour(value: &str) -> Option<u32> {
    let value = value.trim().to_ascii_lowercase();
    if let Some((_, colour)) = COLOURS.iter().find(|(name, _)| *name == value) {
        return Some(*colour);
    }
    if let Some(inner) = value.strip_prefix("rgb(").and_then(|rest| rest.strip_suffix(')')) {
        let parts: Vec<u32> = inner
            .split(',')
            .filter_map(|part| part.trim().parse().ok())
            .collect();
        return match parts.as_slice() {
            [red, green, blue] => Some((red << 16) + (green << 8) + blue),
            _ => None,
        };
    }
    let digits = value.strip_prefix('#')?;
    match digits.len() {
        3 => u32::from_str_radix(&digits.chars().flat_map(|c| [c, c]).collect::<String>(), 16).ok(),
        6 => u32::from_str_radix(digits, 16).ok(),
        _ => None,
    }
}
