//! The whole tree of an SPF record: what each part costs, and what is wrong with it.

use super::parse::{Spf, Term, is_spf};
use crate::doctor::dns::{Book, Kind, Name, NoAnswer, Unsaid};
use crate::text;
use crate::words::Text;

/// Includes within includes followed at most. Ten lookups are all that is allowed.
const DEPTH_MAX: usize = 12;

/// A record and those it includes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// The word that led here: `include:a.example`.
    pub word: String,
    /// Its domain.
    pub domain: String,
    /// The record; none where there is none.
    pub record: Option<String>,
    /// Lookups of this word and everything below it.
    pub lookups: usize,
    /// Those of them that found nothing.
    pub voids: usize,
    /// What is wrong here.
    pub faults: Vec<Text>,
    /// What is not known here.
    pub unknown: Option<NoAnswer>,
    /// `mx` words with more than ten hosts.
    pub crowded: Vec<String>,
    /// Is there a `ptr`?
    pub has_ptr: bool,
    /// Is there a macro, which only a mail can fill?
    pub has_macro: bool,
    /// What it includes, in its order.
    pub children: Vec<Self>,
}

/// Hosts that an `mx` word may have. Source: RFC 7208, 4.6.4.
const MX_HOSTS_MAX: usize = 10;

/// Nodes walked at most: what a stranger's records include may include the same again and again.
const NODES_MAX: usize = 300;

/// Lines of a drawn tree at most. A record that works has eleven.
const LINES_MAX: usize = 60;

/// Walks the tree of a record.
pub fn walk(book: &Book, domain: &Name, record: &str) -> Result<Node, Unsaid> {
    let mut root = Node {
        domain: domain.to_string(),
        record: Some(record.to_owned()),
        ..Node::default()
    };
    let mut walk = Walk {
        book,
        path: vec![domain.clone()],
        left: NODES_MAX,
        is_pending: false,
    };
    walk.fill(&mut root, domain);
    // All branches are walked before anything is asked, so that they are asked at once.
    if walk.is_pending {
        Err(Unsaid::Pending)
    } else {
        Ok(root)
    }
}

/// A walk that is under way.
struct Walk<'a> {
    book: &'a Book,
    /// The domains from the root to here.
    path: Vec<Name>,
    /// Nodes that may still be walked.
    left: usize,
    /// Is something not known yet?
    is_pending: bool,
}

impl Walk<'_> {
    /// Takes in every word of a node's record.
    fn fill(&mut self, node: &mut Node, domain: &Name) {
        let spf = Spf::parse(node.record.as_deref().unwrap_or_default());
        node.faults.extend(spf.faults.iter().cloned());
        for term in &spf.terms {
            match term {
                Term::Include(target) => self.add(node, format!("include:{target}"), target),
                Term::Redirect(target) if spf.all().is_none() => {
                    self.add(node, format!("redirect={target}"), target);
                }
                Term::A(target) => self.count(node, target.as_deref(), domain, Kind::A),
                Term::Mx(target) => self.count(node, target.as_deref(), domain, Kind::Mx),
                Term::Exists(target) => self.count(node, Some(target), domain, Kind::A),
                Term::Ptr => {
                    node.lookups += 1;
                    node.has_ptr = true;
                }
                Term::All(_) | Term::Ip | Term::Redirect(_) | Term::Other => {}
            }
        }
    }

    /// An `include` or `redirect`, with all that is below it.
    fn add(&mut self, node: &mut Node, word: String, target: &str) {
        let mut child = Node {
            word,
            domain: target.to_owned(),
            lookups: 1,
            ..Node::default()
        };
        self.left = self.left.saturating_sub(1);
        if target.contains('%') {
            child.has_macro = true;
        } else if let Some(name) = Name::parse(target) {
            if self.path.contains(&name) {
                child
                    .faults
                    .push(text!("a loop: it leads back to {target}", target));
            } else if self.path.len() > DEPTH_MAX || self.left == 0 {
                child.faults.push(text!("too deep to follow"));
            } else {
                self.follow(&mut child, &name);
            }
        } else {
            child.faults.push(text!("`{target}` is not a domain", target));
        }
        node.lookups += child.lookups;
        node.voids += child.voids;
        node.children.push(child);
    }

    /// The record of an included domain.
    fn follow(&mut self, child: &mut Node, name: &Name) {
        let texts = match self.book.look(name, Kind::Txt) {
            Ok(answer) => answer.texts(name),
            Err(Unsaid::Pending) => {
                self.is_pending = true;
                return;
            }
            Err(Unsaid::Failed(why)) => {
                child.unknown = Some(why);
                return;
            }
        };
        match records(&texts).as_slice() {
            [] => child
                .faults
                .push(text!("{target} has no SPF record", target = name)),
            [record] => {
                child.record = Some(record.clone());
                self.path.push(name.clone());
                self.fill(child, name);
                self.path.pop();
            }
            _ => child
                .faults
                .push(text!("{target} has several SPF records", target = name)),
        }
        child.voids += usize::from(texts.is_empty());
    }

    /// An `a`, `mx` or `exists`.
    fn count(&mut self, node: &mut Node, target: Option<&str>, domain: &Name, kind: Kind) {
        node.lookups += 1;
        if target.is_some_and(|target| target.contains('%')) {
            node.has_macro = true;
            return;
        }
        let named = target.map_or_else(|| Some(domain.clone()), Name::parse);
        let Some(name) = named else {
            let target = target.unwrap_or_default();
            node.faults.push(text!("`{target}` is not a domain", target));
            return;
        };
        let found = if kind == Kind::Mx {
            let hosts = self
                .book
                .look(&name, Kind::Mx)
                .map(|answer| answer.exchanges(&name));
            hosts.map(|hosts| {
                if hosts.len() > MX_HOSTS_MAX {
                    node.crowded.push(name.to_string());
                }
                hosts.len()
            })
        } else {
            self.book.addresses(&name).map(|ips| ips.len())
        };
        match found {
            Ok(0) => node.voids += 1,
            Ok(_) => {}
            Err(Unsaid::Pending) => self.is_pending = true,
            Err(Unsaid::Failed(why)) => node.unknown = Some(why),
        }
    }
}

/// The SPF records among texts.
pub fn records(texts: &[Vec<u8>]) -> Vec<String> {
    let texts = texts
        .iter()
        .map(|text| String::from_utf8_lossy(text).into_owned());
    texts.filter(|text| is_spf(text)).collect()
}

impl Node {
    /// Every node with its depth, in the order of the record.
    pub fn all(&self) -> Vec<(usize, &Self)> {
        let mut all = vec![(0, self)];
        for child in &self.children {
            all.extend(child.all().into_iter().map(|(depth, node)| (depth + 1, node)));
        }
        all
    }

    /// The tree, drawn, with the lookups at each node.
    pub fn draw(&self) -> Vec<Text> {
        let mut lines = vec![self.line("")];
        self.draw_below("", &mut lines);
        if lines.len() > LINES_MAX {
            lines.truncate(LINES_MAX);
            lines.push(Text::from("…"));
        }
        lines
    }

    fn draw_below(&self, indent: &str, lines: &mut Vec<Text>) {
        for (index, child) in self.children.iter().enumerate() {
            let is_last = index + 1 == self.children.len();
            let (branch, below) = if is_last {
                ("└─ ", "   ")
            } else {
                ("├─ ", "│  ")
            };
            lines.push(child.line(&format!("{indent}{branch}")));
            child.draw_below(&format!("{indent}{below}"), lines);
        }
    }

    fn line(&self, before: &str) -> Text {
        let name = if self.word.is_empty() {
            &self.domain
        } else {
            &self.word
        };
        let mut line = if self.voids > 0 {
            text!(
                "{before}{name}  lookups: {lookups}, in vain: {voids}",
                before,
                name,
                lookups = self.lookups,
                voids = self.voids
            )
        } else {
            text!(
                "{before}{name}  lookups: {lookups}",
                before,
                name,
                lookups = self.lookups
            )
        };
        for fault in &self.faults {
            line = text!("{line}  ! {fault}", line, fault);
        }
        if let Some(why) = &self.unknown {
            line = text!("{line}  ? {why}", line, why);
        }
        line
    }
}
