// Sends the newsletter to everybody on list.csv with nodemailer's pool.
//
//     nodemailer_sender.js PORT CONNECTIONS [CA_FILE]
//
// Templates are filled by one regular expression: less than any template engine does, in nodemailer's favour.
"use strict";

const fs = require("node:fs");
const nodemailer = require("nodemailer");

const [port, connections, caFile] = process.argv.slice(2);
const transport = nodemailer.createTransport({
  host: "127.0.0.1",
  port: Number(port),
  name: "bench.example",
  secure: Boolean(caFile),
  ignoreTLS: !caFile,
  tls: caFile ? { ca: fs.readFileSync(caFile) } : undefined,
  pool: true,
  maxConnections: Number(connections),
  maxMessages: Infinity,
});

const html = fs.readFileSync("body.html", "utf8");
const text = fs.readFileSync("body.txt", "utf8");
const [header, ...lines] = fs.readFileSync("list.csv", "utf8").trimEnd().split("\n");
const columns = header.split(",");

const escapes = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escape = (value) => value.replace(/[&<>"]/g, (found) => escapes[found]);
const fill = (template, row, as) => template.replace(/\{\{(\w+)\}\}/g, (_, name) => as(row[name]));

let next = 0;

// So many of these run at once that the pool always has a mail at hand, and memory stays small.
async function work() {
  while (next < lines.length) {
    const cells = lines[next++].split(",");
    const row = Object.fromEntries(columns.map((name, index) => [name, cells[index]]));
    await transport.sendMail({
      from: "Aurora Home <news@aurora-home.example>",
      to: row.email,
      subject: fill("{{first_name}}, spring is here", row, String),
      html: fill(html, row, escape),
      text: fill(text, row, String),
    });
  }
}

const workers = Array.from({ length: Number(connections) * 2 }, work);
Promise.all(workers).then(
  () => transport.close(),
  (failure) => {
    console.error(failure);
    process.exit(1);
  },
);
