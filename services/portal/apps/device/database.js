/** The browser's database of a device. A full disk closes the connection to it, so each transaction opens it again
 * where needed. */

const VERSION = 1;

/** The disk or the database did not take something. */
export class SpoolFailed extends Error {}

export class DeviceDatabase {
  /** @type {Promise<IDBDatabase> | null} */
  #connection = null;

  /** @param {string} name */
  constructor(name) {
    this.name = name;
  }

  /** @template T @param {string} name @param {(store: IDBObjectStore) => IDBRequest<T>} ask @returns {Promise<T>} */
  read(name, ask) {
    return this.#transaction([name], "readonly", (stores) => ask(stores[name]));
  }

  /** Change these stores, all or nothing. Raises SpoolFailed, and the error that `refuse` gets.
   * @param {string[]} names
   * @param {(stores: Record<string, IDBObjectStore>, refuse: (error: Error) => void) => void} write */
  changed(names, write) {
    return this.#transaction(names, "readwrite", (stores, refuse) => void write(stores, refuse));
  }

  /** The result of the request that `work` returns, once the transaction has completed.
   * @template T @param {string[]} names @param {IDBTransactionMode} mode
   * @param {(stores: Record<string, IDBObjectStore>, refuse: (error: Error) => void) => IDBRequest<T> | void} work
   * @returns {Promise<T>} */
  async #transaction(names, mode, work) {
    const transaction = await this.#begun(names, mode);
    return new Promise((resolve, reject) => {
      /** @type {Error | null} */
      let refusal = null;
      /** @type {IDBRequest<T> | void} */
      let request;
      const refuse = (/** @type {Error} */ error) => {
        refusal = error;
        transaction.abort();
      };
      transaction.oncomplete = () => resolve(/** @type {T} */ (request?.result));
      transaction.onabort = () => reject(refusal ?? new SpoolFailed(String(transaction.error ?? "aborted")));
      try {
        const stores = Object.fromEntries(names.map((name) => [name, transaction.objectStore(name)]));
        request = work(stores, refuse);
      } catch (fault) {
        // The connection was closed between the two.
        reject(new SpoolFailed(String(fault)));
      }
    });
  }

  /** @param {string[]} names @param {IDBTransactionMode} mode */
  async #begun(names, mode) {
    for (let again = true; ; again = false) {
      try {
        return (await this.#opened()).transaction(names, mode, { durability: "strict" });
      } catch (fault) {
        this.#connection = null;
        if (!again) throw fault instanceof SpoolFailed ? fault : new SpoolFailed(String(fault));
      }
    }
  }

  /** @returns {Promise<IDBDatabase>} */
  #opened() {
    this.#connection ??= new Promise((resolve, reject) => {
      const request = indexedDB.open(this.name, VERSION);
      request.onupgradeneeded = () => {
        request.result.createObjectStore("device", { keyPath: "name" });
        request.result.createObjectStore("records", { keyPath: "seq" });
        request.result.createObjectStore("cursors", { keyPath: "scope" });
        const news = request.result.createObjectStore("news", { autoIncrement: true });
        news.createIndex("event", ["source", "id"], { unique: true });
      };
      request.onerror = () => reject(new SpoolFailed(String(request.error)));
      request.onsuccess = () => {
        const database = request.result;
        const forget = () => {
          this.#connection = null;
        };
        database.onclose = forget;
        // A newer version of this app in another tab changes the database.
        database.onversionchange = () => {
          database.close();
          forget();
        };
        resolve(database);
      };
    });
    return this.#connection;
  }
}
