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

/// Walks the tree of a record.
pub fn walk(book: &Book, domain: &Name, record: &str) -> Result<Node, Unsaid> {
    let mut path = vec![domain.clone()];
    let mut root = Node {
        domain: domain.to_string(),
        record: Some(record.to_owned()),
        ..Node::default()
    };
    let mut is_pending = false;
    fill(book, &mut root, domain, &mut path, &mut is_pending);
    // All branches are walked before anything is asked, so that they are asked at once.
    if is_pending {
        Err(Unsaid::Pending)
    } else {
        Ok(root)
    }
}

fn fill(book: &Book, node: &mut Node, domain: &Name, path: &mut Vec<Name>, is_pending: &mut bool) {
    let spf = Spf::parse(node.record.as_deref().unwrap_or_default());
    node.faults.extend(spf.faults.iter().cloned());
    for term in &spf.terms {
        match term {
            Term::Include(target) => add(
                book,
                node,
                &format!("include:{target}"),
                target,
                (path, is_pending),
            ),
            Term::Redirect(target) if spf.all().is_none() => {
                add(
                    book,
                    node,
                    &format!("redirect={target}"),
                    target,
                    (path, is_pending),
                );
            }
            Term::A(target) => count(book, node, target.as_deref(), domain, (Kind::A, is_pending)),
            Term::Mx(target) => count(book, node, target.as_deref(), domain, (Kind::Mx, is_pending)),
            Term::Exists(target) => count(book, node, Some(target), domain, (Kind::A, is_pending)),
            Term::Ptr => {
                node.lookups += 1;
                node.has_ptr = true;
            }
            Term::All(_) | Term::Ip | Term::Redirect(_) | Term::Other => {}
        }
    }
}

/// An `include` or `redirect`, with all that is below it.
fn add(book: &Book, node: &mut Node, word: &str, target: &str, way: (&mut Vec<Name>, &mut bool)) {
    let (path, is_pending) = way;
    let mut child = Node {
        word: word.to_owned(),
        domain: target.to_owned(),
        lookups: 1,
        ..Node::default()
    };
    if target.contains('%') {
        child.has_macro = true;
    } else if let Some(name) = Name::parse(target) {
        if path.contains(&name) {
            child
                .faults
                .push(text!("a loop: it leads back to {target}", target));
        } else if path.len() > DEPTH_MAX {
            child.faults.push(text!("too deep to follow"));
        } else {
            match book.look(&name, Kind::Txt) {
                Err(Unsaid::Pending) => *is_pending = true,
                Err(Unsaid::Failed(why)) => child.unknown = Some(why),
                Ok(answer) => {
                    let texts = answer.texts(&name);
                    let is_void = texts.is_empty();
                    match records(&texts).as_slice() {
                        [] => child.faults.push(text!("{target} has no SPF record", target)),
                        [record] => {
                            child.record = Some(record.clone());
                            path.push(name.clone());
                            fill(book, &mut child, &name, path, is_pending);
                            path.pop();
                        }
                        _ => child
                            .faults
                            .push(text!("{target} has several SPF records", target)),
                    }
                    child.voids += usize::from(is_void);
                }
            }
        }
    } else {
        child.faults.push(text!("`{target}` is not a domain", target));
    }
    node.lookups += child.lookups;
    node.voids += child.voids;
    node.children.push(child);
}

/// An `a`, `mx` or `exists`.
fn count(book: &Book, node: &mut Node, target: Option<&str>, domain: &Name, how: (Kind, &mut bool)) {
    let (kind, is_pending) = how;
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
        let hosts = book.look(&name, Kind::Mx).map(|answer| answer.exchanges(&name));
        hosts.map(|hosts| {
            if hosts.len() > MX_HOSTS_MAX {
                node.crowded.push(name.to_string());
            }
            hosts.len()
        })
    } else {
        book.addresses(&name).map(|ips| ips.len())
    };
    match found {
        Ok(0) => node.voids += 1,
        Ok(_) => {}
        Err(Unsaid::Pending) => *is_pending = true,
        Err(Unsaid::Failed(why)) => node.unknown = Some(why),
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
