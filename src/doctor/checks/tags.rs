//! `tag=value; tag=value`: the form of DKIM, DMARC, MTA-STS, TLS-RPT and BIMI records. Source: RFC 6376, 3.2.

/// The tags of a record in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::doctor) struct Tags(Vec<(String, String)>);

impl Tags {
    pub(in crate::doctor) fn parse(text: &str) -> Self {
        let pairs = text.split(';').filter_map(|pair| pair.split_once('='));
        Self(
            pairs
                .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
                .collect(),
        )
    }

    /// The value of a tag; the first, if it stands there twice.
    pub(in crate::doctor) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The first tag, which says what the record is.
    pub(in crate::doctor) fn first(&self) -> Option<(&str, &str)> {
        self.0
            .first()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The names that are not among these.
    pub(in crate::doctor) fn others<'a>(&'a self, known: &'a [&str]) -> impl Iterator<Item = &'a str> {
        let names = self.0.iter().map(|(name, _)| name.as_str());
        names.filter(move |name| !known.contains(name))
    }
}
