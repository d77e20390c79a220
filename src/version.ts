/** Of the package: what is remembered on a device is remembered for this version. A test holds it to package.json. */
export const VERSION = '0.1.0';
