// The API's documentation page: Swagger UI from here, asking nobody else. The page names its OpenAPI document in data-openapi.
import SwaggerUI from "swagger-ui-dist/swagger-ui-es-bundle.js";

const place = document.querySelector("[data-openapi]");
SwaggerUI({ domNode: place, url: place.dataset.openapi, deepLinking: true, validatorUrl: null, tryItOutEnabled: true });
