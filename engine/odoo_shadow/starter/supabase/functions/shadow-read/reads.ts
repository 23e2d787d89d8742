/**
 * The reads that shadow-read answers. Add your own here: this file is yours.
 *
 *     GET /shadow-read/partners?country_id=eq.233&limit=50
 *
 * Nothing else can be asked for: no other table, column, order or filter. What
 * rows a caller sees is decided by the database, as everywhere.
 */

/** Operators of PostgREST that compare a column with a value. */
export type Operator =
  | "eq"
  | "neq"
  | "gt"
  | "gte"
  | "lt"
  | "lte"
  | "in"
  | "is"
  | "like"
  | "ilike";

/** A read by name. */
export interface Read {
  /** The table or view, as PostgREST names it. */
  readonly from: string;
  /**
   * The mirror's tables whose rows the answer is made of: each one that `from`
   * or `select` shows anything of. Another version of any of them is another
   * answer; a table that is missing here would leave old rows in caches.
   */
  readonly tables: readonly string[];
  /** Columns, and columns of related rows, as in PostgREST's "select". */
  readonly select: string;
  /** As in PostgREST's "order"; should end with the id, so that pages are stable. */
  readonly order: string;
  /** The most rows of one answer, and how many there are without "limit". */
  readonly limit: number;
  /** The columns by which callers may filter, and how. */
  readonly filters: Readonly<Record<string, readonly Operator[]>>;
  /**
   * For how many seconds a browser may show the answer without asking again;
   * 0 unless given. Within them a right that was taken away still shows rows.
   */
  readonly maxAge?: number;
}

/** The reads by their names, which are the end of the address. */
export const READS: Readonly<Record<string, Read>> = {
  partners: {
    from: "odoo_shadow_res_partner",
    tables: ["odoo_shadow_res_partner"],
    select: "id,name,email,country_id,company_id",
    order: "id",
    limit: 500,
    filters: {
      id: ["eq", "gt", "in"],
      name: ["ilike"],
      country_id: ["eq", "in"],
      company_id: ["eq", "is"],
    },
  },
  "open-invoices": {
    from: "odoo_shadow_account_move",
    tables: ["odoo_shadow_account_move"],
    select:
      "id,name,move_type,state,invoice_date,partner_id,amount_total,amount_residual,company_id",
    order: "invoice_date.desc,id",
    limit: 500,
    filters: {
      id: ["eq", "in"],
      state: ["eq"],
      move_type: ["eq", "in"],
      amount_residual: ["gt"],
      invoice_date: ["gte", "lte"],
      partner_id: ["eq"],
      company_id: ["eq"],
    },
  },
  "sales-orders": {
    from: "odoo_shadow_sale_order",
    tables: ["odoo_shadow_sale_order"],
    select: "id,name,state,date_order,partner_id,amount_total,company_id",
    order: "date_order.desc,id",
    limit: 500,
    filters: {
      id: ["eq", "gt", "in"],
      state: ["eq", "in"],
      date_order: ["gte", "lt"],
      partner_id: ["eq"],
      company_id: ["eq"],
    },
  },
};
