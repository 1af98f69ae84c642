// What every page can do with scripts on: swap parts instead of pages (htmx), copy a snippet, switch the look, refresh live values.
import htmx from "htmx.org/dist/htmx.esm.js";

window.htmx = htmx;

const looks = ["light", "dark"];

function systemLook() {
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

function currentLook() {
  return document.documentElement.dataset.kernTheme ?? systemLook();
}

class ThemeSwitch extends HTMLElement {
  // A button that turns light into dark and back; the choice stays in this browser and is never sent.
  connectedCallback() {
    const button = this.querySelector("button");
    button.hidden = false;
    this.show(button);
    button.addEventListener("click", () => {
      const look = looks[(looks.indexOf(currentLook()) + 1) % looks.length];
      document.documentElement.dataset.kernTheme = look;
      try {
        localStorage.setItem("stadthub-theme", look);
      } catch {
        // Without storage the choice lasts as long as the page.
      }
      this.show(button);
      document.dispatchEvent(new CustomEvent("stadthub:look"));
    });
  }

  show(button) {
    const dark = currentLook() === "dark";
    button.querySelector(".kern-icon").className = `kern-icon kern-icon--${dark ? "light" : "dark"}-mode`;
    const words = dark ? this.dataset.toLight : this.dataset.toDark;
    button.querySelector(".kern-label").textContent = words;
    button.title = words;
  }
}

class CopyButton extends HTMLElement {
  // Copies the text of the element named in data-of, and says so for two seconds.
  connectedCallback() {
    const button = this.querySelector("button");
    button.hidden = false;
    button.addEventListener("click", async () => {
      const label = button.querySelector(".kern-label");
      const before = label.textContent;
      await navigator.clipboard.writeText(document.getElementById(this.dataset.of).textContent);
      label.textContent = this.dataset.done;
      setTimeout(() => (label.textContent = before), 2000);
    });
  }
}

class LiveValues extends HTMLElement {
  // Asks for the newest values every ten seconds while the page is looked at and not paused.
  connectedCallback() {
    this.paused = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const button = this.querySelector("[data-pause]");
    button.hidden = false;
    button.addEventListener("click", () => {
      this.paused = !this.paused;
      this.show(button);
      if (!this.paused) this.refresh();
    });
    this.show(button);
    this.timer = setInterval(() => this.refresh(), Number(this.dataset.seconds) * 1000);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
  }

  refresh() {
    if (this.paused || document.hidden || this.contains(document.activeElement?.closest("a"))) return;
    this.querySelector("[data-values]").dispatchEvent(new CustomEvent("refresh"));
  }

  show(button) {
    button.querySelector(".kern-label").textContent = this.paused ? this.dataset.resume : this.dataset.pause;
    button.setAttribute("aria-pressed", String(this.paused));
  }
}

class SubmitOnChange extends HTMLElement {
  // A form that asks again when a choice changes; its button stays for those without scripts.
  connectedCallback() {
    this.addEventListener("change", (event) => {
      if (event.target.matches("select")) event.target.form.requestSubmit();
    });
  }
}

customElements.define("stadthub-theme", ThemeSwitch);
customElements.define("stadthub-copy", CopyButton);
customElements.define("stadthub-live", LiveValues);
customElements.define("stadthub-submit", SubmitOnChange);
