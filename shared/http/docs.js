// Shows the OpenAPI document. The page has no script of its own, so that its policy can refuse every inline script.
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  layout: "BaseLayout",
  presets: [SwaggerUIBundle.presets.apis],
  // Without this, a page that is not on localhost shows a picture of the maker's validator.
  validatorUrl: null,
});
