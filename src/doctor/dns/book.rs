//! What is known so far. Checks are plain functions over it: they look things up, what is missing is noted, asked for,
//! and they run again until nothing is missing. So they need no network, and all that can be asked at once is.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use super::{Answer, Data, Kind, Name, NoAnswer};

/// Who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Whom {
    /// The first resolver that answers.
    Anyone,
    /// The resolver of this number.
    Resolver(usize),
    /// A name server, without recursion.
    Server(SocketAddr),
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Question {
    /// Who is asked.
    pub whom: Whom,
    /// About which name.
    pub name: Name,
    /// For which records.
    pub kind: Kind,
}

/// A page that is asked for over HTTPS, and the addresses of its host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PageQuestion {
    /// Its address.
    pub url: String,
    /// Its host.
    pub host: Name,
    /// The host's addresses, as the resolvers have them.
    pub ips: Vec<IpAddr>,
    /// Does any answer do, also "not found"?
    pub is_any_answer: bool,
}

/// A page that was fetched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// What it says.
    pub text: String,
    /// The media type that the web server names.
    pub kind: Option<String>,
    /// What time it is for the web server, in ms since the epoch.
    pub date_ms: Option<i64>,
}

/// Why something cannot be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsaid {
    /// It has not been asked yet.
    Pending,
    /// It was asked, in vain.
    Failed(NoAnswer),
}

/// Answers by their questions, and the questions that were missed.
#[derive(Debug, Default)]
pub struct Book {
    answers: BTreeMap<Question, Result<Answer, NoAnswer>>,
    pages: BTreeMap<String, Result<Page, String>>,
    missed: RefCell<BTreeSet<Question>>,
    missed_pages: RefCell<BTreeSet<PageQuestion>>,
}

impl Book {
    /// What whoever answers first says.
    pub fn look(&self, name: &Name, kind: Kind) -> Result<&Answer, Unsaid> {
        self.ask(Whom::Anyone, name, kind)
    }

    /// What this one says.
    pub fn ask(&self, whom: Whom, name: &Name, kind: Kind) -> Result<&Answer, Unsaid> {
        let question = Question {
            whom,
            name: name.clone(),
            kind,
        };
        match self.answers.get(&question) {
            Some(Ok(answer)) => Ok(answer),
            Some(Err(why)) => Err(Unsaid::Failed(why.clone())),
            None => {
                self.missed.borrow_mut().insert(question);
                Err(Unsaid::Pending)
            }
        }
    }

    /// The addresses of a host. They are known as soon as one of both kinds is, and the other failed.
    pub fn addresses(&self, host: &Name) -> Result<Vec<IpAddr>, Unsaid> {
        let (four, six) = (self.look(host, Kind::A), self.look(host, Kind::Aaaa));
        if matches!(four, Err(Unsaid::Pending)) || matches!(six, Err(Unsaid::Pending)) {
            return Err(Unsaid::Pending);
        }
        let mut found = Vec::new();
        for (answer, kind) in [(&four, Kind::A), (&six, Kind::Aaaa)] {
            let records = answer
                .as_ref()
                .map(|answer| answer.of(host, kind))
                .unwrap_or_default();
            found.extend(records.iter().filter_map(|record| match record.data {
                Data::A(ip) => Some(IpAddr::V4(ip)),
                Data::Aaaa(ip) => Some(IpAddr::V6(ip)),
                _ => None,
            }));
        }
        if found.is_empty() {
            four?;
            six?;
        }
        Ok(found)
    }

    /// A page; the inner error says why there is none.
    pub fn page(&self, question: &PageQuestion) -> Result<&Result<Page, String>, Unsaid> {
        if let Some(page) = self.pages.get(&question.url) {
            return Ok(page);
        }
        self.missed_pages.borrow_mut().insert(question.clone());
        Err(Unsaid::Pending)
    }

    /// The pages that were fetched, by their addresses.
    pub fn fetched(&self) -> impl Iterator<Item = (&str, &Page)> {
        let pages = self.pages.iter();
        pages.filter_map(|(url, page)| Some((url.as_str(), page.as_ref().ok()?)))
    }

    /// Notes an answer.
    pub fn note(&mut self, question: Question, answer: Result<Answer, NoAnswer>) {
        self.answers.insert(question, answer);
    }

    /// Notes a page.
    pub fn note_page(&mut self, url: String, page: Result<Page, String>) {
        self.pages.insert(url, page);
    }

    /// What was looked for in vain since the last time.
    pub fn take_missed(&mut self) -> Vec<Question> {
        std::mem::take(self.missed.get_mut()).into_iter().collect()
    }

    /// The pages that were looked for in vain since the last time.
    pub fn take_missed_pages(&mut self) -> Vec<PageQuestion> {
        std::mem::take(self.missed_pages.get_mut()).into_iter().collect()
    }

    /// How many questions have been answered, or asked in vain.
    pub fn len(&self) -> usize {
        self.answers.len()
    }

    /// Has nothing been asked?
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }
}
