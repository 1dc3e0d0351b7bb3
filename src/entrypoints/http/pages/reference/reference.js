"use strict";

const reference = document.getElementById("reference");

// Swagger UI is dark where the page has this class.
const dark = matchMedia("(prefers-color-scheme: dark)");
const followScheme = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", followScheme);
followScheme();

/** Where the visitor reaches the hub; its public address may be another, which the page's policy does not let it call. */
const here = new URL(".", location.href).href.replace(/\/$/, "");

function parametersOf(openapi) {
  const operations = Object.values(openapi.paths).flatMap((path) => Object.values(path));
  return [...Object.values(openapi.components.parameters), ...operations.flatMap((each) => each.parameters ?? [])];
}

/** The document, so that it can be tried out: what may be left out is not filled in, its examples are told. */
function readyToTry(openapi) {
  for (const parameter of parametersOf(openapi).filter((each) => !each.required)) {
    const examples = Object.values(parameter.examples ?? {}).map((each) => each.value);
    const told = [parameter.example, ...examples].filter((each) => typeof each === "string" || typeof each === "number");
    if (told.length > 0) {
      parameter.description += ` For example ${told.map((each) => `\`${each}\``).join(" or ")}.`;
      delete parameter.example;
      delete parameter.examples;
    }
  }
  return { ...openapi, servers: [{ url: here }] };
}

const hubsOwn = ({ React }) => ({
  statePlugins: {
    spec: { wrapActions: { updateJsonSpec: (update) => (openapi) => update(readyToTry(openapi)) } },
  },
  components: {
    // There is but one.
    ServersContainer: () => null,
  },
  wrapComponents: {
    // An operation's path stands in a button, which may hold no link. Tags have paths of one part.
    DeepLink: (Link) => (props) =>
      React.createElement(Link, { ...props, enabled: props.enabled && !props.path.includes("/") }),
  },
});

// Names for fields that Swagger UI leaves without, and keys to scroll what scrolls.
function mend() {
  const give = (selector, attribute, valueFor) => {
    for (const each of reference.querySelectorAll(`:is(${selector}):not([${attribute}])`)) {
      each.setAttribute(attribute, valueFor(each));
    }
  };
  const fields = ["input", "select", "textarea"];
  const within = (row) => fields.map((each) => `${row} ${each}`).join();
  give(within("[data-param-name]"), "aria-label", (each) => each.closest("[data-param-name]").dataset.paramName);
  give(within("[data-property-name]"), "aria-label", (each) => each.closest("[data-property-name]").dataset.propertyName);
  give(".body-param__text", "aria-label", () => "Request body");
  give(".examples-select-element", "aria-label", () => "Example");
  give(".close-modal", "aria-label", () => "Close");
  give("pre.microlight, .table-container", "tabindex", () => "0");
  // These say something else than what one sees, which is enough.
  for (const each of reference.querySelectorAll(":is(.auth-btn-wrapper button, .auth-container input)[aria-label]")) {
    each.removeAttribute("aria-label");
  }
}
new MutationObserver(mend).observe(reference, { childList: true, subtree: true });

const ui = SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  plugins: [hubsOwn],
  syntaxHighlight: { theme: "tomorrow-night" }, // The one whose every colour stands out from the ground.
  responseInterceptor(response) {
    if (response.ok && response.url === `${here}/api/Login`) {
      ui.preauthorizeApiKey("bearerToken", JSON.parse(response.text));
    }
    return response;
  },
  validatorUrl: null,
});
