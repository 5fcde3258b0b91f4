-- Gold adds news to what it holds, so a file is gone on from by the models that made it and no others.
alter table tidelake.publications add column models text;

comment on column tidelake.publications.models is 'Fingerprint of the models of gold that made the file';
