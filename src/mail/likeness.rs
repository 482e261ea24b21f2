//! How much mails are alike. Providers count near-identical mails, whoever gets them: a name or a link that differs makes
//! no other mail of it.

use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher as _;

/// A sketch of what a mail says, in 64 bits: texts that share nearly all pairs of neighbouring words have nearly the same
/// one. Source: Charikar, "Similarity estimation techniques from rounding algorithms" (STOC 2002).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Likeness(u64);

/// So many bits may differ between mails that are alike. Texts that share two thirds of their pairs differ in 17 bits of
/// 64 on average, texts that share none in 32 ± 4. In doubt they are alike: that costs time, and the other a refusal.
const NEAR: u32 = 18;
/// With fewer pairs of words a name alone makes another sketch: all mails as short as that are taken for alike.
const FEW: usize = 60;

impl Likeness {
    /// Sketches a mail. Links and addresses do not count, and one number is like another: each recipient has their own.
    pub fn of(subject: &str, text: &str) -> Self {
        let mut votes = [0_i32; 64];
        let (mut before, mut pairs) = (0, 0_usize);
        for word in words(subject).chain(words(text)) {
            let now = hash(word);
            let pair = hash((before, now));
            for (bit, vote) in votes.iter_mut().enumerate() {
                *vote += if pair >> bit & 1 == 1 { 1 } else { -1 };
            }
            before = now;
            pairs += 1;
        }
        if pairs < FEW {
            return Self(0);
        }
        let bits = votes.iter().enumerate().filter(|(_, vote)| **vote > 0);
        Self(bits.fold(0, |sketch, (bit, _)| sketch | 1 << bit))
    }

    /// Do both mails say nearly the same?
    pub fn is_near(self, other: Self) -> bool {
        (self.0 ^ other.0).count_ones() <= NEAR
    }

    /// As the ledger keeps it.
    pub fn to_bits(self) -> i64 {
        self.0.cast_signed()
    }

    /// As the ledger has kept it.
    pub fn from_bits(bits: i64) -> Self {
        Self(bits.cast_unsigned())
    }
}

/// The words of a text; where a script does not part them, its letters.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split_whitespace();
    let parts = parts.filter(|part| !part.contains("://") && !part.contains('@'));
    let words = parts.flat_map(|part| part.split(|c: char| !c.is_alphanumeric()));
    let words = words.flat_map(split_unparted).filter(|word| !word.is_empty());
    words.map(|word| {
        if word.contains(|c: char| c.is_ascii_digit()) {
            "0"
        } else {
            word
        }
    })
}

/// A word as it is; the letters of one that has some of East Asia or Thailand, most of whose scripts do not part words.
/// Letters serve Korean as well, which does.
fn split_unparted(word: &str) -> impl Iterator<Item = &str> {
    let is_unparted = word.chars().any(|c| c >= '\u{0e00}');
    word.split_inclusive(move |_: char| is_unparted)
}

/// The same in every run of one program. Another version may sketch otherwise: mails of the two are then less alike than
/// they are, for the minute that they are counted.
fn hash(what: impl std::hash::Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEWS: &str = "Hello Ada,\n\nwe have been at work all summer long, and so have the people who blow our glass and turn our wood; \
        now our autumn catalogue is out: forty new lamps, all of them made to order in Jingdezhen, \
        and until Sunday we ship them free of charge to every country of Europe. Have a look, and tell us \
        which one you like best: https://shop.example/a?c=1\n\nUnsubscribe: https://u.example/u/AAAA\n";
    const ZH: &str = "尊敬的张伟:您好!我们的秋季新品目录已经上线,四十款景德镇手工灯具,本周日之前下单全欧洲免运费。\
        欢迎点击链接查看,并告诉我们您最喜欢哪一款。祝您生活愉快!https://shop.example/a?c=1";
    const ORDER: &str = "Your order 4711 has left our warehouse this morning and will be with you on Thursday between nine \
        and noon. The parcel holds two lamps and one spare bulb; somebody should be there to sign for it. If nobody is at \
        home, the driver leaves it with a neighbour, or takes it back to the depot, where it waits for seven days and can \
        be fetched with your passport. Questions are answered on weekdays by telephone, or at any time by mail.";

    #[test]
    fn a_name_and_a_link_make_no_other_mail() {
        let ada = Likeness::of("News for Ada", NEWS);
        let bob = NEWS
            .replace("Ada", "Bob van der Meer")
            .replace("AAAA", "BBBB")
            .replace("c=1", "c=2");
        assert!(ada.is_near(Likeness::of("News for Bob", &bob)));
        let zhang = Likeness::of("新品目录", ZH);
        assert!(zhang.is_near(Likeness::of(
            "新品目录",
            &ZH.replace("张伟", "欧阳娜娜").replace("c=1", "c=2")
        )));
    }

    #[test]
    fn other_words_make_another_mail() {
        let all = [
            Likeness::of("a", NEWS),
            Likeness::of("a", ZH),
            Likeness::of("a", ORDER),
        ];
        for (at, one) in all.iter().enumerate() {
            for other in all.iter().skip(at + 1) {
                assert!(!one.is_near(*other));
            }
        }
        let half = format!("{} {ORDER}", NEWS.split_once("and until").unwrap().0);
        assert!(!all[0].is_near(Likeness::of("a", &half)));
    }

    #[test]
    fn the_names_in_a_short_mail_make_no_other_mail_of_it() {
        let greeting = |name: &str| {
            Likeness::of(
                &format!("Happy birthday {name}"),
                &format!("Dear {name}, happy birthday! 15% off today."),
            )
        };
        let names = ["Ada", "Bob van der Meer", "张伟", "Maximiliane", "Li"];
        for name in names {
            assert!(greeting("Eve").is_near(greeting(name)));
        }
    }

    #[test]
    fn it_comes_back_from_the_ledger_as_it_was() {
        let sketch = Likeness::of("s", NEWS);
        assert_eq!(Likeness::from_bits(sketch.to_bits()), sketch);
    }
}
