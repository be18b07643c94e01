/** Of the product; bundles name it as their maker. */
export const PRODUCT_VERSION = "0.1.0";
