/** Of the product, as `sampan --version` says it. */
export const CLI_VERSION = "0.1.0";
