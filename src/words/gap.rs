//! What may be said, and what may stand in the gaps of what is said.

use std::borrow::Cow;
use std::fmt;

use super::{Both, Text};

/// What may be said to people: a [`Text`], and never a bare string, which would be in one language alone.
pub trait Say {
    /// The text itself.
    fn said(self) -> Text;
}

impl Say for Text {
    fn said(self) -> Text {
        self
    }
}

impl Say for &Text {
    fn said(self) -> Text {
        self.clone()
    }
}

/// What can fill a gap of a sentence.
pub trait Gap {
    /// What stands there.
    fn gap(&self) -> Text;
}

/// What is shown the same in every language, such as an address or a size.
pub trait Shown: fmt::Display {}

impl<T: Shown + ?Sized> Gap for T {
    fn gap(&self) -> Text {
        Text::Plain(self.to_string())
    }
}

macro_rules! shown {
    ($($kind:ty),*) => {$(impl Shown for $kind {})*};
}

macro_rules! plain {
    ($($number:ty),*) => {$(
        impl From<$number> for Text {
            fn from(number: $number) -> Self {
                Self::Plain(number.to_string())
            }
        }
    )*};
}

plain!(u8, u16, u32, u64, usize, i64, char);

shown!(u8, u16, u32, u64, usize, i64, char, String, str);
shown!(Cow<'_, str>, std::path::Display<'_>, std::net::SocketAddr);

impl Gap for Text {
    fn gap(&self) -> Self {
        self.clone()
    }
}

impl Gap for Both {
    fn gap(&self) -> Text {
        self.into()
    }
}
