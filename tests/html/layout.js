// Lays the report out at widths from a phone's to a big screen's, and as paper, and looks at its parts: nothing
// lies upon anything else or out of sight, and all words can be read. `page` is the report, base64.
// Writes "ok WHAT" or "FAILED WHAT: WHY" lines, and for the screenshot "spot X Y R,G,B" lines, what colour is
// to be where when the window is 1000 wide.
const lines = [];
const html = new TextDecoder().decode(Uint8Array.from(atob(page), c => c.charCodeAt(0)));

function verify(what, faults) {
	lines.push(faults.length ? `FAILED ${what}: ${faults.slice(0, 3).join("; ")}` : `ok ${what}`);
}

function numbers(color) {
	return color.match(/[\d.]+/g).map(Number);
}

// WCAG 2.1: relative luminance and contrast.
function luminance(color) {
	const [r, g, b] = numbers(color).map(v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
	return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function contrast(a, b) {
	const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p);
	return (x + 0.05) / (y + 0.05);
}

function background(view, element) {
	for (; element; element = element.parentElement) {
		const color = view.getComputedStyle(element).backgroundColor;
		if (numbers(color)[3] !== 0)
			return color;
	}
	return "rgb(255, 255, 255)";
}

function name(element) {
	return `${element.tagName.toLowerCase()}.${element.className.baseVal ?? element.className} "${element.textContent.slice(0, 30)}"`;
}

function overlap(a, b) {
	return Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
		Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
}

function look(what, width, view) {
	const doc = view.document, faults = {wide: [], upon: [], cut: [], faint: []};
	const root = doc.documentElement;
	if (root.scrollWidth > width)
		faults.wide.push(`${root.scrollWidth} pixels`);
	for (const row of doc.querySelectorAll(".row, .cards, .head, .axis, figcaption, tr")) {
		const parts = [...row.children].filter(e => e.getClientRects().length);
		for (let i = 0; i < parts.length; i++) {
			const box = parts[i].getBoundingClientRect();
			if (box.right > width + 1 || box.left < -1)
				faults.cut.push(name(parts[i]));
			for (let k = i + 1; k < parts.length; k++)
				if (overlap(box, parts[k].getBoundingClientRect()))
					faults.upon.push(`${name(parts[i])} and ${name(parts[k])}`);
		}
	}
	const walker = doc.createTreeWalker(doc.body, NodeFilter.SHOW_TEXT);
	while (walker.nextNode()) {
		const element = walker.currentNode.parentElement;
		if (!walker.currentNode.data.trim() || element.closest("svg, style, script") || !element.getClientRects().length)
			continue;
		const c = contrast(view.getComputedStyle(element).color, background(view, element));
		// A badge is big and bold.
		if (c < (element.closest(".badge") ? 2.4 : 4.5))
			faults.faint.push(`${name(element)} ${c.toFixed(1)}`);
		const range = doc.createRange();
		range.selectNodeContents(walker.currentNode);
		if (range.getBoundingClientRect().right > width + 1)
			faults.cut.push(name(element));
	}
	verify(`${what}: not wider than the screen`, faults.wide);
	verify(`${what}: nothing lies upon anything else`, faults.upon);
	verify(`${what}: nothing is cut off`, faults.cut);
	verify(`${what}: words can be read`, faults.faint);

	const strips = [...doc.querySelectorAll(".strip")];
	verify(`${what}: a strip for the verdicts, each host and each address`,
		strips.length === 21 ? [] : [`${strips.length} strips`]);
	verify(`${what}: strips are to be seen`, strips.filter(s => {
		const box = s.getBoundingClientRect();
		return box.width < 60 || box.height < 10;
	}).map(s => name(s.parentElement)));
	verify(`${what}: plots are to be seen`, [...doc.querySelectorAll(".plot")].filter(p => {
		const box = p.getBoundingClientRect();
		return box.width < 60 || box.height < 30 || !p.querySelector("path");
	}).map(name));
}

// Where the screenshot is to show which colour.
function spots(view) {
	const add = (x, y, color) => lines.push(`spot ${Math.floor(x)} ${Math.floor(y)} ${numbers(color).slice(0, 3)}`);
	add(2, 2, background(view, view.document.body));
	for (const rect of view.document.querySelectorAll(".strip rect")) {
		const box = rect.getBoundingClientRect();
		if (box.width >= 8 && box.height >= 6 && !rect.closest(".host"))
			add(box.left + box.width / 2, box.top + box.height / 2, view.getComputedStyle(rect).fill);
	}
}

// All frames are there before the page has loaded, which waits for them.
const frames = [320, 390, 600, 768, 1000, 1400, 2200].map(width => ({what: `${scheme}, ${width} wide`, width, source: html}));
if (scheme === "light")
	frames.push({what: "paper", width: 718, source: html.replaceAll("@media print", "@media all")});
for (const frame of frames) {
	frame.element = document.createElement("iframe");
	frame.element.style = `width:${frame.width}px;height:1250px;border:0`;
	frame.element.srcdoc = frame.source;
	document.body.append(frame.element);
}

addEventListener("load", () => {
	for (const frame of frames) {
		look(frame.what, frame.width, frame.element.contentWindow);
		if (frame.width === 1000)
			spots(frame.element.contentWindow);
		frame.element.remove();
	}
	const out = document.createElement("pre");
	out.textContent = lines.join("\n") + "\nend\n";
	document.body.append(out);
});
